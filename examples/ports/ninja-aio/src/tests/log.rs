//! What the log has of rejections.

use std::io;
use std::sync::{Arc, Mutex};

use super::*;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// What was written since it was last taken. Each event is a line.
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

/// The service runs on the thread of the test.
#[tokio::test]
async fn a_rejection_is_logged_with_its_reason_and_without_a_credential() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let magazine = Magazine::open().await;
    log.take();

    let forged = TestAuth::new().token(&user("alice"));
    magazine.service.get("/me", Some(&forged)).await;
    let lines = log.take();
    assert!(
        lines.contains("rejected") && lines.contains("route=\"/me\"") && lines.contains("127.0.0.1"),
        "{lines}"
    );
    assert!(!lines.contains(&forged) && !lines.contains("alice"), "{lines}");

    let token = magazine.token("bob");
    magazine.ask(Method::DELETE, "/article/1", With::Token(&token), None).await;
    let lines = log.take();
    assert!(lines.contains("subject=\"bob\"") && lines.contains("route=\"/article/{id}\""), "{lines}");
    assert!(!lines.contains(&token), "{lines}");

    // Somebody may have typed a password where the name goes.
    let wrong = json!({ "username": "hunter2", "password": "letmein" });
    magazine.service.post("/auth/login", None, &wrong).await;
    let lines = log.take();
    assert!(lines.contains("action=\"login\"") && lines.contains("rejected"), "{lines}");
    assert!(!lines.contains("hunter2") && !lines.contains("letmein"), "{lines}");

    magazine.service.get("/me", Some(&token)).await;
    assert_eq!(log.take(), "", "what is let in is no failure");
}
