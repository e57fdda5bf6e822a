//! The time that this thread has had on a core: what others do on the machine at the same time is not in it.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The time on a core of this thread so far.
pub fn now() -> Duration {
    read(ClockId::ThreadCPUTime)
}

/// The time on cores of this process so far.
pub fn of_process() -> Duration {
    read(ClockId::ProcessCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Seconds on a core that a call takes.
pub fn time(call: impl FnOnce()) -> f64 {
    let before = now();
    call();
    (now() - before).as_secs_f64()
}
