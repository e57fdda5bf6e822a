//! Ports for servers that can't choose one by themselves.

use std::net::{Ipv4Addr, TcpListener};

/// The first port, and the first one after them that a system may assign by itself to connections and to listeners at port 0: no other program
/// gets one of these by chance before its server has it.
const FIRST: u16 = 10_000;
const END: u16 = 32_000;

/// Ports of 127.0.0.1 at which nothing listens. Each process begins at another one, a few after that of the process before it.
pub(super) fn free_ports() -> impl Iterator<Item = u16> {
    let count = END - FIRST;
    let begin = u64::from(std::process::id()) * 16;
    let ports = (0..u64::from(count)).filter_map(move |offset| {
        let distance = u16::try_from((begin + offset) % u64::from(count)).ok()?;
        Some(FIRST + distance)
    });
    ports.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
}
