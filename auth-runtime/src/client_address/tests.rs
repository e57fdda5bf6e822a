use super::ForwardedHeader::{Forwarded, XForwardedFor};
use super::{
    ConfigErrors, ForwardedHeader, MAX_ELEMENTS, TrustedProxies, client_address, forwarded::node, network,
};
use axum::http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use std::net::IpAddr;

fn proxies(header: ForwardedHeader, texts: &[&str]) -> Result<TrustedProxies, Vec<String>> {
    let mut errors = ConfigErrors::default();
    let texts: Vec<_> = texts.iter().map(ToString::to_string).collect();
    let parsed = TrustedProxies::parse(header, &texts, &mut errors);
    let errors = errors.into_vec();
    if errors.is_empty() { parsed.ok_or(errors) } else { Err(errors) }
}

fn ours(header: ForwardedHeader) -> TrustedProxies {
    proxies(header, &["10.0.0.0/8", "2001:db8:1::/48", "192.0.2.1"]).unwrap()
}

fn lines(name: &'static str, values: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(name, HeaderValue::from_bytes(value).unwrap());
    }
    headers
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn without_a_trusted_peer_no_header_counts() {
    let mut headers = lines("x-forwarded-for", &[b"203.0.113.9"]);
    headers.insert("forwarded", HeaderValue::from_static("for=203.0.113.9"));
    let ours = ours(XForwardedFor);
    let none = proxies(XForwardedFor, &[]).unwrap();
    for (peer, proxies, expected) in [
        ("10.1.2.3", None, "10.1.2.3"),
        ("10.1.2.3", Some(&none), "10.1.2.3"),
        ("198.51.100.7", Some(&ours), "198.51.100.7"),
        ("::ffff:198.51.100.7", None, "198.51.100.7"),
        ("::ffff:198.51.100.7", Some(&ours), "198.51.100.7"),
        ("2001:db8:2::1", Some(&ours), "2001:db8:2::1"),
        ("10.1.2.3", Some(&ours), "203.0.113.9"),
        ("::ffff:10.1.2.3", Some(&ours), "203.0.113.9"),
        ("2001:db8:1::1", Some(&ours), "203.0.113.9"),
    ] {
        assert_eq!(client_address(address(peer), proxies, &headers), address(expected), "{peer}");
    }
}

#[test]
fn x_forwarded_for() {
    let ours = ours(XForwardedFor);
    type Row<'a> = (&'a [&'a [u8]], &'a str);
    let table: &[Row<'_>] = &[
        (&[], "10.0.0.1"),
        (&[b""], "10.0.0.1"),
        (&[b"203.0.113.9"], "203.0.113.9"),
        // what the client wrote is left of what the proxy wrote
        (&[b"1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        (&[b"1.1.1.1,203.0.113.9,10.0.0.2,\t192.0.2.1 "], "203.0.113.9"),
        (&[b"1.1.1.1", b"203.0.113.9", b"10.0.0.2"], "203.0.113.9"),
        (&[b"203.0.113.9, 10.0.0.3", b"10.0.0.2"], "203.0.113.9"),
        // all are trusted
        (&[b"10.0.0.4, 10.0.0.3, 10.0.0.2"], "10.0.0.4"),
        // empty elements
        (&[b"203.0.113.9, , 10.0.0.2,", b"", b","], "203.0.113.9"),
        // garbage
        (&[b"203.0.113.9, unknown, 10.0.0.2"], "10.0.0.2"),
        (&[b"203.0.113.9, \xff, 10.0.0.2"], "10.0.0.2"),
        (&[b"\xff, 203.0.113.9"], "203.0.113.9"),
        (&[b"unknown"], "10.0.0.1"),
        (&[b"203.0.113.9 10.0.0.2"], "10.0.0.1"),
        (&[b"for=203.0.113.9"], "10.0.0.1"),
        // ports, brackets, both families
        (&[b"203.0.113.9:4711"], "203.0.113.9"),
        (&[b"[2001:db8::9]:4711, [2001:db8:1::2]"], "2001:db8::9"),
        (&[b"2001:db8::9, 2001:db8:1::2"], "2001:db8::9"),
        (&[b"::ffff:203.0.113.9, ::ffff:10.0.0.2"], "203.0.113.9"),
        (&[b"[::ffff:203.0.113.9]:1"], "203.0.113.9"),
        // a quote does not hide an element
        (&[b"\"1.1.1.1, 203.0.113.9"], "203.0.113.9"),
    ];
    for (values, expected) in table {
        let client = client_address(address("10.0.0.1"), Some(&ours), &lines("x-forwarded-for", values));
        assert_eq!(client, address(expected), "{values:?}");
    }
}

#[test]
fn forwarded() {
    let ours = ours(Forwarded);
    type Row<'a> = (&'a [&'a [u8]], &'a str);
    let table: &[Row<'_>] = &[
        (&[], "10.0.0.1"),
        (&[b"for=203.0.113.9"], "203.0.113.9"),
        (&[b"For=203.0.113.9;Proto=http;By=10.0.0.1"], "203.0.113.9"),
        (&[b"proto=http ; by=10.0.0.1 ; FOR=203.0.113.9"], "203.0.113.9"),
        (&[b"for=1.1.1.1, for=203.0.113.9, for=10.0.0.2;by=10.0.0.1"], "203.0.113.9"),
        (&[b"for=203.0.113.9", b"for=10.0.0.3, for=10.0.0.2"], "203.0.113.9"),
        // quoted strings (RFC 7239 §6)
        (&[br#"for="203.0.113.9:4711""#], "203.0.113.9"),
        (&[br#"for="[2001:db8:cafe::17]:4711""#], "2001:db8:cafe::17"),
        (&[br#"For="[2001:db8:cafe::17]", for=10.0.0.2"#], "2001:db8:cafe::17"),
        (&[br#"for="203.0.113.9:_gate""#], "203.0.113.9"),
        (&[br#"for="203\.0.113\.9""#], "203.0.113.9"),
        // a separator within quotes does not separate
        (&[br#"for=203.0.113.9;host="a,for=1.1.1.1", for=10.0.0.2"#], "203.0.113.9"),
        (&[br#"for=203.0.113.9;host="a;for=1.1.1.1""#], "203.0.113.9"),
        (&[br#"for=203.0.113.9;host="a\",for=1.1.1.1""#], "203.0.113.9"),
        (&[br#"for=203.0.113.9;host="a\\", for=10.0.0.2"#], "203.0.113.9"),
        // a quote that the client leaves open does not hide what the proxy appends
        (&[br#"for=", for=203.0.113.9"#], "203.0.113.9"),
        (&[br#"for=1.1.1.1, for=", for="[2001:db8:cafe::17]""#], "2001:db8:cafe::17"),
        (&[br#"for=1.1.1.1, for="\, for="203.0.113.9""#], "203.0.113.9"),
        (&[br#"for=""#, b"for=203.0.113.9"], "203.0.113.9"),
        (&[br#"for=1.1.1.1, x", for=10.0.0.2"#], "10.0.0.2"),
        // no address
        (&[b"for=203.0.113.9, for=unknown, for=10.0.0.2"], "10.0.0.2"),
        (&[b"for=203.0.113.9, for=_hidden, for=10.0.0.2"], "10.0.0.2"),
        (&[br#"for=203.0.113.9, for="_hidden:_port", for=10.0.0.2"#], "10.0.0.2"),
        (&[b"for=203.0.113.9, by=10.0.0.1;proto=https, for=10.0.0.2"], "10.0.0.2"),
        (&[b"for=203.0.113.9;for=1.1.1.1"], "10.0.0.1"),
        (&[b"for=203.0.113.9;secure"], "10.0.0.1"),
        (&[b"for=203.0.113.9;"], "10.0.0.1"),
        (&[b"203.0.113.9"], "10.0.0.1"),
        (&[br#"for="203.0.113.9"#], "10.0.0.1"),
        (&[br#"for=""#], "10.0.0.1"),
        (&[br#"for="""#], "10.0.0.1"),
        (&[b"for="], "10.0.0.1"),
        (&[b"=203.0.113.9"], "10.0.0.1"),
        (&[b"for=\xff"], "10.0.0.1"),
    ];
    for (values, expected) in table {
        let client = client_address(address("10.0.0.1"), Some(&ours), &lines("forwarded", values));
        assert_eq!(client, address(expected), "{values:?}");
    }
}

#[test]
fn the_other_header_does_not_count() {
    for (named, other) in [(Forwarded, "x-forwarded-for"), (XForwardedFor, "forwarded")] {
        let headers = lines(other, &[b"203.0.113.9", b"for=203.0.113.9"]);
        let client = client_address(address("10.0.0.1"), Some(&ours(named)), &headers);
        assert_eq!(client, address("10.0.0.1"), "{named:?}");
    }
}

#[test]
fn a_long_list_is_looked_at_in_part() {
    let ours = ours(XForwardedFor);
    for (proxies, expected) in [(MAX_ELEMENTS - 1, "203.0.113.9"), (MAX_ELEMENTS, "10.0.0.2")] {
        let mut elements = vec!["203.0.113.9"];
        elements.resize(1 + proxies, "10.0.0.2");
        let in_one_line = lines("x-forwarded-for", &[elements.join(", ").as_bytes()]);
        let elements: Vec<_> = elements.iter().map(|element| element.as_bytes()).collect();
        for headers in [in_one_line, lines("x-forwarded-for", &elements)] {
            assert_eq!(client_address(address("10.0.0.1"), Some(&ours), &headers), address(expected));
        }
    }
    let empty = lines("x-forwarded-for", &[format!("203.0.113.9{}", ",".repeat(10_000)).as_bytes()]);
    assert_eq!(client_address(address("10.0.0.1"), Some(&ours), &empty), address("10.0.0.1"));
}

#[test]
fn nodes() {
    for (text, expected) in [
        ("1.2.3.4", Some("1.2.3.4")),
        ("1.2.3.4:5", Some("1.2.3.4")),
        ("1.2.3.4:65535", Some("1.2.3.4")),
        ("1.2.3.4:65536", None),
        ("1.2.3.4:+5", None),
        ("1.2.3.4:", None),
        ("1.2.3.4:_", None),
        ("1.2.3.4:5:6", None),
        ("1.2.3", None),
        ("1.2.3.04", None),
        ("[1.2.3.4]", None),
        ("::1", Some("::1")),
        ("[::1]", Some("::1")),
        ("[::1]:5", Some("::1")),
        ("[::1]5", None),
        ("[::1]:", None),
        ("[::1", None),
        ("::1]", None),
        ("[fe80::1%eth0]", None),
        ("::ffff:1.2.3.4", Some("1.2.3.4")),
        ("[::ffff:102:304]", Some("1.2.3.4")),
        (" 1.2.3.4", None),
        ("", None),
    ] {
        assert_eq!(node(text.as_bytes()), expected.map(address), "{text:?}");
    }
}

#[test]
fn networks_have_one_form() {
    for (text, expected) in [
        ("10.0.0.7", Some("10.0.0.7/32")),
        ("10.0.0.0/8", Some("10.0.0.0/8")),
        ("2001:db8::7", Some("2001:db8::7/128")),
        ("2001:db8::/32", Some("2001:db8::/32")),
        ("::ffff:10.0.0.7", Some("10.0.0.7/32")),
        ("::ffff:10.0.0.0/104", Some("10.0.0.0/8")),
        ("::ffff:0:0/96", Some("0.0.0.0/0")),
        ("::/64", Some("::/64")),
        ("10.0.0.0/33", None),
        ("10.0.0/8", None),
        ("10.0.0.7:80", None),
        ("proxy.example", None),
        ("", None),
    ] {
        assert_eq!(network(text).map(|network| network.to_string()).as_deref(), expected, "{text:?}");
    }
}

#[test]
fn all_errors_are_reported_at_once() {
    let errors = proxies(XForwardedFor, &["10.0.0.0/33", " 10.0.0.7 ", "proxy", "::/0", "0.0.0.0/0"]);
    let errors = errors.unwrap_err();
    assert_eq!(errors.len(), 4, "{errors:?}");
    assert!(errors[0].contains("\"10.0.0.0/33\"") && errors[0].contains("write it as in"));
    assert!(errors[1].contains("\"proxy\""));
    assert!(errors[2].contains("\"::/0\"") && errors[2].contains("name the networks"));
    assert!(errors[3].contains("\"0.0.0.0/0\""));
}

proptest! {
    // Whatever the client writes, the proxy appends its address, and that address counts.
    #[test]
    fn a_client_cannot_hide_its_address(
        garbage in "([\\t -~]|[\",;\\\\=]|for=|1\\.1\\.1\\.1|10\\.0\\.0\\.9){0,40}", own_line: bool, which in 0..4_usize,
    ) {
        let (header, name, appended) = [
            (XForwardedFor, "x-forwarded-for", "203.0.113.9"),
            (Forwarded, "forwarded", "for=203.0.113.9"),
            (Forwarded, "forwarded", "for=\"203.0.113.9:80\";proto=https"),
            (Forwarded, "forwarded", "host=\"a,b\\\"\";for=\"203.0.113.9\""),
        ][which];
        let joined = format!("{garbage}, {appended}");
        let values: &[&[u8]] =
            if own_line { &[garbage.as_bytes(), appended.as_bytes()] } else { &[joined.as_bytes()] };
        let client = client_address(address("10.0.0.1"), Some(&ours(header)), &lines(name, values));
        prop_assert_eq!(client, address("203.0.113.9"));
    }
}
