//! What the log has of rejections.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use super::*;

thread_local! {
    /// What was logged on this thread, which is that of one test and of its service.
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct LogOfThread;

impl io::Write for LogOfThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins to log, in every test. A subscriber of one test alone would miss an event that another test reaches first at this very moment.
pub(super) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| tracing_subscriber::fmt().with_ansi(false).with_writer(|| LogOfThread).init());
}

/// What was logged since it was last taken.
fn take() -> String {
    String::from_utf8(LOGGED.take()).unwrap()
}

#[tokio::test]
async fn a_rejection_is_logged_with_its_reason_and_without_a_credential() {
    let magazine = Magazine::open().await;
    take();

    let forged = TestAuth::new().token(&user("alice"));
    magazine.service.get("/me", Some(&forged)).await;
    let lines = take();
    assert!(
        lines.contains("rejected") && lines.contains("route=\"/me\"") && lines.contains("127.0.0.1"),
        "{lines}"
    );
    assert!(!lines.contains(&forged) && !lines.contains("alice"), "{lines}");

    let token = magazine.token("bob");
    magazine.ask(Method::DELETE, "/article/1", With::Token(&token), None).await;
    let lines = take();
    assert!(lines.contains("subject=\"bob\"") && lines.contains("route=\"/article/{id}\""), "{lines}");
    assert!(!lines.contains(&token), "{lines}");

    // Somebody may have typed a password where the name goes.
    let wrong = json!({ "username": "hunter2", "password": "letmein" });
    magazine.service.post("/auth/login", None, &wrong).await;
    let lines = take();
    assert!(lines.contains("action=\"login\"") && lines.contains("rejected"), "{lines}");
    assert!(!lines.contains("hunter2") && !lines.contains("letmein"), "{lines}");

    magazine.service.get("/me", Some(&token)).await;
    assert!(!take().contains("rejected"), "what is let in is no failure");
}
