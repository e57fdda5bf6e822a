//! What panics on this thread, and how often a handler was called.

use std::cell::Cell;

thread_local! {
    static ARMED: Cell<Option<(&'static str, usize)>> = const { Cell::new(None) };
    static CALLED: Cell<usize> = const { Cell::new(0) };
}

/// Lets what has this name panic from now on, after it was called `skip` times.
pub(super) fn arm(name: &'static str, skip: usize) {
    ARMED.set(Some((name, skip)));
}

pub(super) fn disarm() {
    ARMED.set(None);
}

/// Panics if what has this name is to panic.
pub(super) fn trip(name: &str) {
    match ARMED.get() {
        Some((armed, 0)) if armed == name => panic!("{name} is broken"),
        Some((armed, skip)) if armed == name => ARMED.set(Some((armed, skip - 1))),
        _ => {}
    }
}

/// A handler was called.
pub(super) fn is_called() {
    CALLED.set(CALLED.get() + 1);
}

pub(super) fn times_called() -> usize {
    CALLED.get()
}
