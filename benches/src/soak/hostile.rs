//! Requests of somebody who wants to get in, or to bring the server down.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use benches::quickstart::client::{Answer, FORM, connect, receive, request};

use crate::life::Life;
use crate::random::Random;
use crate::tally::Expected;

const PAUSE: Duration = Duration::from_millis(15);

/// Connections that one of these clients holds open, on which it sends a request byte by byte.
const SLOW: usize = 12;

const REJECTED: Expected = Expected::one_of(&[401]);
const INVALID_TOKEN: Expected = Expected::one_of(&[400, 401]);
const INVALID_REQUEST: Expected = Expected::one_of(&[400]);
/// The HTTP implementation answers, or closes the connection while the client still sends.
const TOO_LARGE: Expected = Expected::or_closed(&[400, 401, 413, 431]);
const NOT_HTTP: Expected = Expected::or_closed(&[400, 401, 404, 405, 414, 431, 501, 505]);
const UNKNOWN: Expected = Expected::one_of(&[401, 404, 405]);

/// Sends one after the other, until the end of the life.
pub(crate) fn attack(life: &Life<'_>, number: u8, mut random: Random) {
    let mut slow = Vec::new();
    let mut turn = 0_u8;
    while !life.is_killed() {
        turn = turn.wrapping_add(1);
        let from = Ipv4Addr::new(127, 66, number, turn);
        one(life, from, &mut random);
        drip(life, from, &mut random, &mut slow);
        thread::sleep(PAUSE);
    }
}

fn one(life: &Life<'_>, from: Ipv4Addr, random: &mut Random) {
    let sample = life.soak.sample.lock().unwrap().clone();
    let (kind, expected, bytes) = match random.below(14) {
        0 => ("forged: truncated", REJECTED, with_token(&cut(&sample, random))),
        1 => ("forged: alg none", REJECTED, with_token(&unsigned(&sample, random))),
        2 => ("forged: changed", REJECTED, with_token(&changed(&sample, random))),
        3 => ("forged: random bytes", INVALID_TOKEN, with_bytes(random)),
        4 => ("forged: two credentials", INVALID_TOKEN, two_credentials(&sample)),
        5 => ("forged: refresh token", INVALID_REQUEST, forged_refresh(random)),
        6 => ("oversized: header", TOO_LARGE, with_token(&"a".repeat(1_000 + random.below(600_000)))),
        7 => ("oversized: cookies", TOO_LARGE, cookies(random)),
        8 => ("oversized: body", TOO_LARGE, large_body(random)),
        9 => ("malformed: body", INVALID_REQUEST, malformed_body(random)),
        10 => ("malformed: header", NOT_HTTP, malformed_header(random)),
        11 => ("malformed: not HTTP", NOT_HTTP, not_http(random)),
        12 => ("unknown path or method", UNKNOWN, unknown(random)),
        _ => return half_closed(life, from, random),
    };
    life.judge(kind, expected, exchange(life.port, from, &bytes, false));
}

/// Sends what the server takes of it, and reads what it answers.
fn exchange(port: u16, from: Ipv4Addr, bytes: &[u8], closes: bool) -> io::Result<Answer> {
    let mut stream = connect(port, from)?;
    // The server may have answered and closed the connection before all was sent.
    let _ = stream.write_all(bytes);
    if closes {
        let _ = stream.shutdown(Shutdown::Write);
    }
    receive(&mut stream)
}

fn with_token(token: &str) -> Vec<u8> {
    request("GET", "/me", &[("authorization", &format!("Bearer {token}"))], "")
}

fn cut(token: &str, random: &mut Random) -> String {
    token[..random.below(token.len())].to_owned()
}

fn unsigned(token: &str, random: &mut Random) -> String {
    let payload = token.split('.').nth(1).unwrap_or_default();
    let name = ["none", "None", "NONE", "nOnE"][random.below(4)];
    let header = BASE64_URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{name}","typ":"at+jwt","kid":"1"}}"#));
    let signature = if random.once_in(2) { "" } else { token.rsplit('.').next().unwrap_or_default() };
    format!("{header}.{payload}.{signature}")
}

/// One character of any part is another one. That of the end stays: its last bits may not count.
fn changed(token: &str, random: &mut Random) -> String {
    let mut bytes = token.as_bytes().to_vec();
    let index = random.below(bytes.len() - 1);
    bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).unwrap()
}

fn with_bytes(random: &mut Random) -> Vec<u8> {
    let length = 1 + random.below(3_000);
    let mut bytes =
        b"GET /me HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer ".to_vec();
    bytes.extend(random.bytes(length).into_iter().filter(|byte| *byte >= 0x20 && *byte != 0x7f));
    bytes.extend(b"\r\n\r\n");
    bytes
}

fn two_credentials(sample: &str) -> Vec<u8> {
    let headers = [("authorization", &*format!("Bearer {sample}")), ("authorization", "Bearer other")];
    request("GET", "/admin", &headers, "")
}

fn forged_refresh(random: &mut Random) -> Vec<u8> {
    let length = random.below(300);
    let token = BASE64_URL_SAFE_NO_PAD.encode(random.bytes(length));
    let key = ["1.", "2.", "", "1.1."][random.below(4)];
    request("POST", "/auth/refresh", &[FORM], &format!("refresh_token={key}{token}"))
}

fn cookies(random: &mut Random) -> Vec<u8> {
    let name = ["__Host-access_token", "__Secure-refresh_token", "other"][random.below(3)];
    let one = format!("{name}={}; ", "c".repeat(random.below(2_000)));
    request("GET", "/me", &[("cookie", one.repeat(1 + random.below(200)).trim_end())], "")
}

fn large_body(random: &mut Random) -> Vec<u8> {
    let content = "x".repeat(17_000 + random.below(1_000_000));
    let path = ["/auth/login", "/auth/refresh", "/auth/logout"][random.below(3)];
    request("POST", path, &[FORM], &format!("username={content}"))
}

fn malformed_body(random: &mut Random) -> Vec<u8> {
    let path = ["/auth/login", "/auth/refresh"][random.below(2)];
    let (kind, content) = [
        ("application/json", "[".repeat(10_000)),
        ("application/json", r#"{"username":"alice","password":"#.to_owned()),
        ("application/json", r#"{"username":["alice"],"password":{"a":1}}"#.to_owned()),
        ("application/x-www-form-urlencoded", "%ff%00%zz&=&&username".to_owned()),
        ("application/x-www-form-urlencoded", "username=alice&username=bob&refresh_token".to_owned()),
        ("multipart/form-data; boundary=x", "--x\r\n".to_owned()),
        ("text/plain", "username=alice".to_owned()),
        ("application/json", "null".to_owned()),
    ][random.below(8)]
    .clone();
    request("POST", path, &[("content-type", kind)], &content)
}

fn malformed_header(random: &mut Random) -> Vec<u8> {
    let line = [
        "no colon",
        ": no name",
        "name : space before the colon",
        "name: a\0b",
        "content-length: -1",
        "content-length: 1\r\ncontent-length: 2",
        "content-length: 99999999999999999999999",
        "transfer-encoding: chunked\r\ncontent-length: 5",
        "name: value\r\n folded",
        "n\u{e4}me: value",
    ][random.below(10)];
    format!("GET /me HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{line}\r\n\r\n").into_bytes()
}

fn not_http(random: &mut Random) -> Vec<u8> {
    if random.once_in(2) {
        let length = 1 + random.below(4_000);
        let mut bytes = random.bytes(length);
        bytes.extend(b"\r\n\r\n");
        return bytes;
    }
    let line = [
        "GET /me HTTP/9.9",
        "GET /me",
        "GET  /me HTTP/1.1",
        "GET me HTTP/1.1",
        "GET http://[::1 HTTP/1.1",
        "G\u{1}T /me HTTP/1.1",
        "PRI * HTTP/2.0\r\n\r\nSM",
        "\u{16}\u{3}\u{1}\u{2}",
    ][random.below(8)];
    format!("{line}\r\nhost: localhost\r\nconnection: close\r\n\r\n").into_bytes()
}

fn unknown(random: &mut Random) -> Vec<u8> {
    let path = ["/none", "/me/", "//me", "/ME", "/%2e%2e/me", "/auth/login/x", "/notes/1/2"][random.below(7)];
    let target = if random.once_in(2) { path } else { "/auth/login" };
    let method = ["GET", "PUT", "DELETE", "PATCH", "BREW", "TRACE"][random.below(6)];
    request(method, target, &[], "")
}

/// A request of which the end is missing, on a connection that the client has closed for sending.
fn half_closed(life: &Life<'_>, from: Ipv4Addr, random: &mut Random) {
    let whole = request("POST", "/auth/refresh", &[FORM], "refresh_token=1.abcdefgh");
    let sent = &whole[..random.below(whole.len())];
    let expected = Expected::or_closed(&[400, 401]);
    life.judge("slow: half-closed", expected, exchange(life.port, from, sent, true));
}

/// Opens a connection on which a request never ends, or sends one byte more on one of these.
fn drip(life: &Life<'_>, from: Ipv4Addr, random: &mut Random, slow: &mut Vec<TcpStream>) {
    if slow.len() >= SLOW && random.once_in(20) {
        slow.remove(0);
    }
    if slow.len() < SLOW && random.once_in(10) {
        match connect(life.port, from) {
            Ok(mut stream) => {
                let _ = stream.write_all(b"POST /auth/login HTTP/1.1\r\nhost: localhost\r\nx: ");
                slow.push(stream);
                life.count_slow();
            }
            Err(_) if life.is_killed() => {}
            Err(error) => life.soak.tally.fail(format!("slow: no connection ({error})")),
        }
    } else if !slow.is_empty() {
        let index = random.below(slow.len());
        let _ = slow[index].write_all(b"x");
    }
}
