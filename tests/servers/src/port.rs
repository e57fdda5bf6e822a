//! Ports for servers that can't choose one by themselves.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher as _;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

/// The first port that this function returns.
const FIRST: u16 = 10_000;

/// The first port that Linux assigns by itself, if `/proc` does not name another one.
const FIRST_ASSIGNED: u16 = 32_768;

/// A port at which no server of this machine listens, below those that the system assigns to connections and to listeners at port 0: no other
/// test gets it before the server has it, or while the server is down.
///
/// # Panics
/// If there is none.
pub fn free_port() -> u16 {
    let end = first_assigned_port().max(FIRST + 1_000);
    let span = u64::from(end - FIRST);
    // `RandomState` has new random keys each time.
    let random = |attempt: u32| u16::try_from(RandomState::new().hash_one(attempt) % span).unwrap();
    (0..1_000).map(|attempt| FIRST + random(attempt)).find(|port| is_free(*port)).unwrap()
}

fn first_assigned_port() -> u16 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    range.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(FIRST_ASSIGNED)
}

fn is_free(port: u16) -> bool {
    let listens_at_v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port))
        .is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse);
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() && !listens_at_v6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_free_and_not_one_that_the_system_assigns() {
        let held: Vec<_> =
            (0..100).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, free_port())).unwrap()).collect();
        for listener in &held {
            let port = listener.local_addr().unwrap().port();
            assert!(!is_free(port), "{port}");
            assert!(port < first_assigned_port().max(FIRST + 1_000), "{port}");
        }
    }
}
