//! What tracing writes on this thread, as a text.

use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;

/// Holds what was written while it lives.
pub(crate) struct CapturedLog {
    memory: Memory,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A subscriber that wants nothing. While there is one alone, tracing asks the thread that comes to an event first whether it is wanted, and
/// remembers the answer: a thread of another test would answer for this one.
static SECOND: OnceLock<Dispatch> = OnceLock::new();

impl CapturedLog {
    pub(crate) fn start(max_level: tracing::Level) -> Self {
        SECOND.get_or_init(|| {
            Dispatch::new(tracing_subscriber::fmt().with_max_level(LevelFilter::OFF).finish())
        });
        let memory = Memory::default();
        let writer = memory.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(max_level)
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .finish();
        Self { memory, _guard: tracing::subscriber::set_default(subscriber) }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.memory.0.lock().unwrap().clone()).unwrap()
    }

    /// Returns what was written since it was last taken.
    pub(crate) fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.memory.0.lock().unwrap())).unwrap()
    }
}
