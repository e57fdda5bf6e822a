//! What was logged while a test ran: on its thread, which is that of its service too.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

thread_local! {
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

/// Begins to log. Each test of a binary calls it: a subscriber of one test alone would miss an event that another test reaches first.
pub fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| tracing_subscriber::fmt().with_ansi(false).with_writer(|| LogOfThread).init());
}

/// What was logged since it was last taken.
///
/// # Panics
/// If it is no text.
pub fn take() -> String {
    String::from_utf8(LOGGED.take()).unwrap()
}
