//! The writer thread: one commit for all waiting writes, then their results.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use super::file::StoreFile;
use super::tables::Write;
use crate::store::StoreError;

/// The maximum number of writes in one commit, and of jobs that wait for the writer.
pub(super) const MAX_BATCH: usize = 256;

/// What the writer is asked for, and the sender of the result.
pub(super) enum Job {
    Write(Write, oneshot::Sender<Result<bool, StoreError>>),
    /// [`StoreFile::check`].
    Check(Option<(u64, StoreError)>, oneshot::Sender<Result<(), StoreError>>),
}

/// Since when the writer has been at work without a pause; `None` if it waits for a job.
#[derive(Debug, Default)]
pub(super) struct Busy(Mutex<Option<Instant>>);

impl Busy {
    pub(super) fn since(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}

/// Runs the writer thread, until the last sender is dropped and all accepted jobs are done.
pub(super) fn run(file: &StoreFile, busy: &Busy, mut waiting: mpsc::Receiver<Job>) {
    let mut jobs = Vec::new();
    while waiting.blocking_recv_many(&mut jobs, MAX_BATCH) > 0 {
        busy.set(Some(Instant::now()));
        let (mut writes, mut senders, mut checks) = (Vec::new(), Vec::new(), Vec::new());
        for job in jobs.drain(..) {
            match job {
                Job::Write(write, sender) => {
                    // It is of no use to anybody else, and has not begun.
                    if !(sender.is_closed() && write.is_for_its_caller_alone()) {
                        writes.push(write);
                        senders.push(sender);
                    }
                }
                Job::Check(failed, sender) => checks.push((failed, sender)),
            }
        }
        if !writes.is_empty() {
            commit(file, writes, senders);
        }
        // After the writes, whose failure they report.
        for (failed, sender) in checks {
            let _ = sender.send(file.check(failed));
        }
        busy.set(None);
    }
}

fn commit(file: &StoreFile, writes: Vec<Write>, senders: Vec<oneshot::Sender<Result<bool, StoreError>>>) {
    let undos: Vec<_> = writes.iter().map(Write::undo).collect();
    let mut undone = Vec::new();
    match file.write(writes) {
        Ok(answers) => {
            for ((sender, answer), undo) in senders.into_iter().zip(answers).zip(undos) {
                // It fails if the future of the caller was dropped. Then no client gets the tokens of a new session, or a new key.
                if sender.send(Ok(answer)).is_err() {
                    undone.extend(undo);
                }
            }
        }
        Err(error) => {
            for sender in senders {
                let _ = sender.send(Err(error.clone()));
            }
        }
    }
    if !undone.is_empty() {
        let count = undone.len();
        tracing::warn!(
            count,
            "auth: sessions or API keys were stored too late for their callers, and are removed"
        );
        // What fails is in the log, and such a session expires.
        let _ = file.write(undone);
    }
}
