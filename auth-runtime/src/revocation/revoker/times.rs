//! The times that a revocation is made at.

use std::time::SystemTime;

use crate::clock::{from_unix_seconds, unix_seconds};
use crate::issue::MAX_GRACE;
use crate::store::{Note, RefreshTokenFamily};

/// The times that a revocation is made at.
#[derive(Clone, Copy)]
pub(super) struct Times {
    /// What this process's clock shows: a caller's "up to now" is by it.
    pub(super) own: SystemTime,
    /// The later of this process's clock and the store's: another instance may have issued tokens up to then.
    pub(super) now: SystemTime,
    /// When the last token that it concerns was issued.
    pub(super) last_issued: SystemTime,
}

impl Times {
    /// Also of tokens that were issued at this time.
    pub(super) fn with(self, issued_at: SystemTime) -> Self {
        Self { last_issued: self.last_issued.max(issued_at), ..self }
    }

    /// Also of the tokens of these families. A refresh within the grace period is not in the row.
    pub(super) fn with_families(self, families: &[RefreshTokenFamily]) -> Self {
        let last = families.iter().map(|family| family.last_issued_at.max(family.rotated_at)).max();
        last.map_or(self, |last| {
            let last = from_unix_seconds(last);
            self.with(last.checked_add(MAX_GRACE).unwrap_or(last))
        })
    }

    /// What the entries say to people.
    pub(super) fn note(self, subject: Option<&str>) -> Note {
        Note { at: Some(unix_seconds(self.own)), of: subject.map(str::to_owned) }
    }
}
