//! Rows for tests of stores, of which only the number matters.

use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::store::{LogEntry, RefreshTokenFamily, StoredSessionData};

/// An entry with this tag, which is kept for long.
pub fn entry(tag: u64) -> LogEntry {
    LogEntry {
        tag,
        keep_until: UNIX_EPOCH + Duration::from_secs(4_000_000_000),
        bytes: tag.to_string().into_bytes(),
    }
}

/// A family that is kept for long.
pub fn family(number: u8) -> RefreshTokenFamily {
    RefreshTokenFamily {
        id: [number; 16],
        issuer: "i".into(),
        subject: "s".into(),
        key_id: "k1".into(),
        generation: 1,
        version: 1,
        started_at: 10,
        rotated_at: 20,
        expires_at: 4_000_000_000,
        last_issued_at: 25,
        user_generation: 7,
        issuer_generation: 5,
        acr: None,
        reissued: false,
        ends_with_browser: false,
        label: None,
        data: StoredSessionData::default(),
    }
}
