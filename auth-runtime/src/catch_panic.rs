//! Calls code of the application's, and catches its panics. Nothing is allocated unless it panics.
//!
//! What panicked is not called again, and what it may have left unfinished belongs to it or to the request that is now
//! rejected. So `AssertUnwindSafe` is right here, and nowhere else.

use std::any::Any;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt as _;

/// A panic that was caught, with its message.
#[derive(Debug)]
pub(crate) struct Panic(String);

/// Calls a function.
pub(crate) fn catch_panic<T>(call: impl FnOnce() -> T) -> Result<T, Panic> {
    catch_unwind(AssertUnwindSafe(call)).map_err(Panic::new)
}

/// Awaits a future.
pub(crate) fn catch_panic_of<F: Future>(future: F) -> impl Future<Output = Result<F::Output, Panic>> {
    AssertUnwindSafe(future).catch_unwind().map(|result| result.map_err(Panic::new))
}

impl Panic {
    fn new(payload: Box<dyn Any + Send>) -> Self {
        let message = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
            (Some(text), _) => (*text).to_owned(),
            (None, Some(text)) => text.clone(),
            (None, None) => "with a value that is not a text".to_owned(),
        };
        // Its destructor is the application's too.
        if let Err(next) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            mem::forget(next);
        }
        Self(message)
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::catch_panic;

    #[test]
    fn every_kind_of_panic_has_a_message() {
        struct PanicsWhenDropped;

        impl Drop for PanicsWhenDropped {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }

        let text = |call: fn()| catch_panic(call).unwrap_err().to_string();
        assert_eq!(text(|| panic!("a text")), "panicked: a text");
        assert_eq!(text(|| panic!("{} texts", 2)), "panicked: 2 texts");
        assert_eq!(text(|| panic_any(5)), "panicked: with a value that is not a text");
        assert_eq!(text(|| panic_any(PanicsWhenDropped)), "panicked: with a value that is not a text");
        assert_eq!(catch_panic(|| 5).unwrap(), 5);
    }
}
