//! Tokio's time is paused where it matters, and moves when a test says so.

use tokio::time::advance;

use super::*;

/// A limit that no test reaches.
const NEVER: AttemptLimit = AttemptLimit::new(u32::MAX, Duration::ZERO);

fn limits_of(
    per_account: AttemptLimit,
    per_address: AttemptLimit,
    per_ipv6_site: AttemptLimit,
) -> LoginLimits {
    LoginLimits::new(LimitSettings { per_account, per_address, per_ipv6_site })
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The seconds to wait; 0 if the attempt is allowed.
fn wait(limits: &LoginLimits, account: &str, from: &str) -> u64 {
    limits.attempt(Account::Name(account), address(from)).err().map_or(0, |wait| {
        assert_eq!(wait.subsec_nanos(), 0);
        assert!(wait.as_secs() > 0);
        wait.as_secs()
    })
}

#[tokio::test(start_paused = true)]
async fn an_account_is_limited_from_wherever_it_is_tried() {
    let (start, limits) =
        (Instant::now(), limits_of(AttemptLimit::new(3, Duration::from_secs(30)), NEVER, NEVER));
    for (account, from, second, expected) in [
        ("alice", "203.0.113.1", 0, 0),
        (" Alice\n", "203.0.113.2", 0, 0),
        ("ALICE", "203.0.113.3", 1, 0),
        ("alice", "203.0.113.4", 1, 29),
        ("alice", "203.0.113.4", 29, 1),
        ("bob", "203.0.113.4", 29, 0),
        // one more after 30 seconds, and a rejected attempt did not count
        ("alice", "203.0.113.4", 30, 0),
        ("alice", "203.0.113.4", 30, 30),
        // all three after three times as long, and not more
        ("alice", "203.0.113.4", 1000, 0),
        ("alice", "203.0.113.4", 1000, 0),
        ("alice", "203.0.113.4", 1000, 0),
        ("alice", "203.0.113.4", 1000, 30),
    ] {
        advance(Duration::from_secs(second) - start.elapsed()).await;
        assert_eq!(wait(&limits, account, from), expected, "{account:?} at {second}");
    }
}

#[tokio::test(start_paused = true)]
async fn names_count_without_case_and_in_nfkc() {
    let limits = limits_of(AttemptLimit::new(1, Duration::from_secs(30)), NEVER, NEVER);
    for (account, expected) in [
        ("ÄNNE", 0),
        ("a\u{308}nne", 30),
        ("ＡNNE", 0),
        ("anne", 30),
        ("ΣΑΣ", 0),
        ("σας", 30),
        ("Straße", 0),
        ("STRASSE", 30),
        ("", 0),
        (" ", 30),
        // no name is refused
        ("\0\u{7f}", 0),
        (&"x".repeat(16 * 1024), 0),
        (&"X".repeat(16 * 1024), 30),
    ] {
        assert_eq!(wait(&limits, account, "203.0.113.1"), expected, "{account:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_ipv6_site_is_limited_besides_its_networks() {
    let (network, site) =
        (AttemptLimit::new(2, Duration::from_secs(60)), AttemptLimit::new(3, Duration::from_secs(10)));
    let limits = limits_of(NEVER, network, site);
    for (from, expected) in [
        ("2001:db8:1:1::1", 0),
        ("2001:db8:1:1::2", 0),
        // rejected by the network's limit, and not counted for the site
        ("2001:db8:1:1::3", 60),
        ("2001:db8:1:2::1", 0),
        ("2001:db8:1:3::1", 10),
        ("2001:db8:1:ffff::1", 10),
        ("2001:db8:2:1::1", 0),
        // IPv4 has no sites
        ("203.0.113.1", 0),
        ("203.0.113.2", 0),
        ("::ffff:203.0.113.3", 0),
        ("203.0.113.4", 0),
    ] {
        assert_eq!(wait(&limits, "a", from), expected, "{from}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_is_limited_whatever_account_it_tries() {
    let limits = limits_of(NEVER, AttemptLimit::new(2, Duration::from_secs(10)), NEVER);
    for (account, from, expected) in [
        ("a", "203.0.113.1", 0),
        ("b", "::ffff:203.0.113.1", 0),
        ("c", "203.0.113.1", 10),
        ("c", "203.0.113.2", 0),
        // the same /64, and the next
        ("d", "2001:db8:0:1::1", 0),
        ("e", "2001:db8:0:1:ffff:ffff:ffff:ffff", 0),
        ("f", "2001:db8:0:1:a::", 10),
        ("f", "2001:db8:0:2::1", 0),
    ] {
        assert_eq!(wait(&limits, account, from), expected, "{account:?} from {from}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_address_is_asked_first() {
    let one = AttemptLimit::new(1, Duration::from_secs(10));
    let limits = limits_of(one, AttemptLimit::new(2, Duration::from_secs(60)), NEVER);
    for (account, from, expected) in [
        ("a", "203.0.113.1", 0),
        // rejected by the account's limit, and counted for the address
        ("a", "203.0.113.1", 10),
        // rejected by the address's limit, and not counted for the account
        ("b", "203.0.113.1", 60),
        ("b", "203.0.113.2", 0),
        ("b", "203.0.113.2", 10),
    ] {
        assert_eq!(wait(&limits, account, from), expected, "{account:?} from {from}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_long_enough() {
    let (start, limits) =
        (Instant::now(), limits_of(AttemptLimit::new(1, Duration::from_millis(1500)), NEVER, NEVER));
    assert_eq!(wait(&limits, "a", "203.0.113.1"), 0);
    for (milliseconds, expected) in [(0, 2), (400, 2), (500, 1), (1499, 1), (1500, 0)] {
        advance(Duration::from_millis(milliseconds) - start.elapsed()).await;
        assert_eq!(wait(&limits, "a", "203.0.113.1"), expected, "{milliseconds} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn the_defaults() {
    let limits = limits_of(AttemptLimit::PER_ACCOUNT, AttemptLimit::PER_ADDRESS, AttemptLimit::PER_IPV6_SITE);
    for expected in [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 30] {
        assert_eq!(wait(&limits, "a", "203.0.113.1"), expected);
    }
    let made = (0..100).filter(|n| wait(&limits, &n.to_string(), "203.0.113.2") == 0).count();
    assert_eq!(made, 50);
    assert_eq!(wait(&limits, "a", "203.0.113.2"), 2);
    let from = |network: u32| format!("2001:db8:1:{network:x}::1");
    let made = (0..1_000).filter(|n| wait(&limits, &format!("v6 {n}"), &from(*n)) == 0).count();
    assert_eq!(made, 500);
}

#[tokio::test(start_paused = true)]
async fn no_limit_overflows() {
    let century = Duration::from_secs(100 * 365 * 86_400);
    for limit in [AttemptLimit::new(u32::MAX, Duration::MAX), AttemptLimit::new(0, Duration::MAX), NEVER] {
        let limits = limits_of(limit, limit, limit);
        tokio::time::advance(century).await;
        let attempts = || limits.attempt("a".into(), address("203.0.113.1"));
        let wait = (0..=limit.burst().get()).find_map(|_| attempts().err()).unwrap();
        assert_eq!(wait, limit.replenish_one_every().max(Duration::from_secs(1)));
        limits.by_account.retain_recent();
    }
}

#[tokio::test(start_paused = true)]
async fn replenished_keys_are_dropped_when_there_are_many() {
    let limits = limits_of(AttemptLimit::new(5, Duration::from_secs(10)), NEVER, NEVER);
    for account in 0..10 {
        assert_eq!(wait(&limits, &format!("old {account}"), "203.0.113.1"), 0);
    }
    advance(Duration::from_secs(20)).await;
    for account in 0..10 {
        assert_eq!(wait(&limits, &format!("new {account}"), "203.0.113.1"), 0);
    }
    sweep(&limits.by_account, 20);
    assert_eq!(limits.by_account.len(), 20);
    sweep(&limits.by_account, 19);
    assert_eq!(limits.by_account.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded() {
    let limits = limits_of(
        AttemptLimit::new(5, Duration::from_secs(1)),
        AttemptLimit::PER_ADDRESS,
        AttemptLimit::PER_IPV6_SITE,
    );
    // 60 000 accounts a minute, from as many networks
    let mut most = 0;
    for n in 0..400_000_u64 {
        let from = Ipv6Addr::from_bits(u128::from(n) << 80).into();
        limits.attempt(Account::Name(&n.to_string()), from).unwrap();
        if n % 1_000 == 0 {
            advance(Duration::from_secs(1)).await;
            most = most.max(limits.by_account.len()).max(limits.by_address.len()).max(limits.by_site.len());
        }
    }
    assert!(most < MANY_KEYS + 2_000, "{most}");
}

#[test]
fn many_threads_get_no_more_than_one_would() {
    // Other threads read the real time: nothing is replenished for a day.
    let limits = limits_of(AttemptLimit::new(50, Duration::from_secs(86_400)), NEVER, NEVER);
    let made: usize = std::thread::scope(|scope| {
        let threads = [0; 8]
            .map(|_| scope.spawn(|| (0..100).filter(|_| wait(&limits, "a", "203.0.113.1") == 0).count()));
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(made, 50);
    assert_eq!(limits.attempts.load(Ordering::Relaxed), 800);
}

#[test]
fn no_name_is_shown() {
    let limits = limits_of(AttemptLimit::PER_ACCOUNT, AttemptLimit::PER_ADDRESS, AttemptLimit::PER_IPV6_SITE);
    limits.attempt("alice".into(), address("203.0.113.1")).unwrap();
    assert_eq!(format!("{limits:?}"), "LoginLimits { accounts: 1, addresses: 1, sites: 0, .. }");
}
