//! A real connection, which is kept alive.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::armed::{arm, disarm};
use super::{PROBLEM, app};

/// Sends a request, and returns the whole answer.
async fn ask(connection: &mut TcpStream, headers: &str) -> String {
    let request = format!("GET /checked HTTP/1.1\r\nhost: shop.test\r\n{headers}\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    loop {
        if let Some((head, body)) = answer.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return answer;
            }
        }
        let mut bytes = [0; 4096];
        let count = connection.read(&mut bytes).await.unwrap();
        assert_ne!(count, 0, "the connection is closed after {answer:?}");
        answer.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
}

#[tokio::test]
async fn the_connection_survives() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut connection = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    // On this thread, as what is armed is.
    tokio::spawn(async move { axum::serve(listener, app()).await });
    assert!(ask(&mut connection, "x-own: alice\r\n").await.starts_with("HTTP/1.1 200"));
    for (name, headers) in [
        ("authenticate", "x-own: alice\r\n"),
        ("check, after it waited", "x-own: alice\r\n"),
        ("audit", "x-own: alice\r\n"),
        ("render", ""),
    ] {
        arm(name, 0);
        let answer = ask(&mut connection, headers).await;
        assert!(answer.starts_with("HTTP/1.1 500") && answer.ends_with(PROBLEM), "{name}: {answer}");
        disarm();
        let answer = ask(&mut connection, "x-own: alice\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{name}: {answer}");
    }
}
