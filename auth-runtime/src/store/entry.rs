//! What the library writes into an entry of the log: JSON, with a version, and with what an older version must do that does not know it.
//!
//! | member | an instance that does not know what is in it |
//! |---|---|
//! | `revoke` | answers 503 until it is upgraded, or the entry has expired: what it does not know could be revoked |
//! | `hint` | evicts everything from its caches: it could be what was loaded for somebody |
//!
//! A version of the library that adds a member to a kind must give the kind another name: an older one would not enforce it.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{LogEntry, Revocation};
use crate::clock::{from_unix_seconds, unix_seconds};

const VERSION: u32 = 1;

/// A revocation, and the time until which the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoggedRevocation {
    pub(crate) revocation: Revocation,
    pub(crate) keep_until: SystemTime,
    /// The tag of its entry.
    pub(crate) tag: u64,
}

/// What the bytes of an entry say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EntryMeaning {
    Known(Revocation),
    /// A hint of a newer version.
    UnknownHint,
    /// Of a newer version, or damaged. It says what, for the log.
    NotUnderstood(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoke: Option<Revoke>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<Hint>,
}

/// Times are in seconds since the epoch.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Revoke {
    Token { issuer: String, token_id: String },
    Session { issuer: String, session_id: String },
    User { issuer: String, subject: String, issued_at_or_before: i64 },
    UserBySub { issuer: String, sub: String, issued_at_or_before: i64 },
    OtherGenerations { issuer: String, subject: String, generation: u32 },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Hint {
    Forgotten { issuer: String, subject: String },
}

impl LoggedRevocation {
    /// The entry of the log.
    pub(crate) fn to_entry(&self) -> LogEntry {
        let written = Written::of(self.revocation.clone());
        // JSON of strings and numbers can be written; an entry that could not be is not understood, and nothing is accepted.
        let bytes = serde_json::to_vec(&written).unwrap_or_default();
        LogEntry { tag: self.tag, keep_until: self.keep_until, bytes }
    }
}

impl LogEntry {
    /// What it says.
    pub(crate) fn meaning(&self) -> EntryMeaning {
        match serde_json::from_slice::<Written>(&self.bytes) {
            Ok(Written { version: VERSION, revoke: Some(revoke), hint: None }) => {
                EntryMeaning::Known(revoke.into())
            }
            Ok(Written { version: VERSION, revoke: None, hint: Some(hint) }) => {
                EntryMeaning::Known(hint.into())
            }
            _ => self.unknown(),
        }
    }

    fn unknown(&self) -> EntryMeaning {
        let Ok(serde_json::Value::Object(members)) = serde_json::from_slice(&self.bytes) else {
            return EntryMeaning::NotUnderstood("its bytes are not of this library".to_owned());
        };
        if members.contains_key("hint") && !members.contains_key("revoke") {
            return EntryMeaning::UnknownHint;
        }
        let version = members.get("version").and_then(serde_json::Value::as_u64).unwrap_or_default();
        let kind = members
            .get("revoke")
            .and_then(serde_json::Value::as_object)
            .and_then(|kinds| kinds.keys().next());
        let kind: String = kind.map(|kind| kind.chars().take(40).collect()).unwrap_or_default();
        EntryMeaning::NotUnderstood(format!("its version is {version}, and its kind {kind:?}"))
    }
}

impl Written {
    fn of(revocation: Revocation) -> Self {
        let revoke = match revocation {
            Revocation::Token { issuer, token_id } => Revoke::Token { issuer, token_id },
            Revocation::Session { issuer, session_id } => Revoke::Session { issuer, session_id },
            Revocation::User { issuer, subject, issued_at_or_before } => {
                Revoke::User { issuer, subject, issued_at_or_before: unix_seconds(issued_at_or_before) }
            }
            Revocation::UserBySub { issuer, sub, issued_at_or_before } => {
                Revoke::UserBySub { issuer, sub, issued_at_or_before: unix_seconds(issued_at_or_before) }
            }
            Revocation::OtherGenerations { issuer, subject, generation } => {
                Revoke::OtherGenerations { issuer, subject, generation }
            }
            Revocation::Forgotten { issuer, subject } => {
                return Self {
                    version: VERSION,
                    revoke: None,
                    hint: Some(Hint::Forgotten { issuer, subject }),
                };
            }
        };
        Self { version: VERSION, revoke: Some(revoke), hint: None }
    }
}

impl From<Revoke> for Revocation {
    fn from(revoke: Revoke) -> Self {
        match revoke {
            Revoke::Token { issuer, token_id } => Self::Token { issuer, token_id },
            Revoke::Session { issuer, session_id } => Self::Session { issuer, session_id },
            Revoke::User { issuer, subject, issued_at_or_before } => {
                Self::User { issuer, subject, issued_at_or_before: from_unix_seconds(issued_at_or_before) }
            }
            Revoke::UserBySub { issuer, sub, issued_at_or_before } => {
                Self::UserBySub { issuer, sub, issued_at_or_before: from_unix_seconds(issued_at_or_before) }
            }
            Revoke::OtherGenerations { issuer, subject, generation } => {
                Self::OtherGenerations { issuer, subject, generation }
            }
        }
    }
}

impl From<Hint> for Revocation {
    fn from(hint: Hint) -> Self {
        match hint {
            Hint::Forgotten { issuer, subject } => Self::Forgotten { issuer, subject },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{EntryMeaning, LogEntry, LoggedRevocation, Revocation};

    fn entry(bytes: &str) -> LogEntry {
        LogEntry { tag: 1, keep_until: UNIX_EPOCH, bytes: bytes.as_bytes().to_vec() }
    }

    #[test]
    fn an_entry_comes_back_as_it_was() {
        let odd = ["", "\0", "Ω 🦀\u{202e}", "\"}'; --", &"x".repeat(4096)].map(str::to_owned);
        for (issuer, id) in
            odd.iter().flat_map(|issuer| odd.iter().map(move |id| (issuer.clone(), id.clone())))
        {
            let issued_at_or_before = UNIX_EPOCH + Duration::from_secs(1_900_000_000);
            for revocation in [
                Revocation::Token { issuer: issuer.clone(), token_id: id.clone() },
                Revocation::Session { issuer: issuer.clone(), session_id: id.clone() },
                Revocation::User { issuer: issuer.clone(), subject: id.clone(), issued_at_or_before },
                Revocation::UserBySub { issuer: issuer.clone(), sub: id.clone(), issued_at_or_before },
                Revocation::OtherGenerations {
                    issuer: issuer.clone(),
                    subject: id.clone(),
                    generation: u32::MAX,
                },
                Revocation::Forgotten { issuer: issuer.clone(), subject: id.clone() },
            ] {
                let logged =
                    LoggedRevocation { revocation: revocation.clone(), keep_until: UNIX_EPOCH, tag: 7 };
                assert_eq!(logged.to_entry().meaning(), EntryMeaning::Known(revocation));
            }
        }
    }

    /// Instances of an earlier version read what a later one writes, and the other way round: the bytes do not change.
    #[test]
    fn the_bytes_of_version_1() {
        let bytes = |revocation| {
            let logged = LoggedRevocation { revocation, keep_until: UNIX_EPOCH, tag: 7 };
            String::from_utf8(logged.to_entry().bytes).unwrap()
        };
        let session = Revocation::Session { issuer: "i".into(), session_id: "s".into() };
        assert_eq!(bytes(session), r#"{"version":1,"revoke":{"session":{"issuer":"i","session_id":"s"}}}"#);
        let user = Revocation::User {
            issuer: "i".into(),
            subject: "s".into(),
            issued_at_or_before: UNIX_EPOCH + Duration::from_millis(1999),
        };
        let expected =
            r#"{"version":1,"revoke":{"user":{"issuer":"i","subject":"s","issued_at_or_before":1}}}"#;
        assert_eq!(bytes(user), expected);
        let by_sub = Revocation::UserBySub {
            issuer: "i".into(),
            sub: "s".into(),
            issued_at_or_before: UNIX_EPOCH + Duration::from_secs(1),
        };
        let expected =
            r#"{"version":1,"revoke":{"user_by_sub":{"issuer":"i","sub":"s","issued_at_or_before":1}}}"#;
        assert_eq!(bytes(by_sub), expected);
        let forgotten = Revocation::Forgotten { issuer: "i".into(), subject: "s".into() };
        assert_eq!(bytes(forgotten), r#"{"version":1,"hint":{"forgotten":{"issuer":"i","subject":"s"}}}"#);
    }

    #[test]
    fn what_is_not_known_is_a_hint_only_if_it_says_so() {
        for hint in [
            r#"{"version":1,"hint":{"moved":{"issuer":"i"}}}"#,
            r#"{"version":2,"hint":{"forgotten":{"issuer":"i","subject":"s"}}}"#,
            r#"{"version":1,"hint":{"forgotten":{"issuer":"i","subject":"s","more":1}}}"#,
            r#"{"hint":7}"#,
        ] {
            assert_eq!(entry(hint).meaning(), EntryMeaning::UnknownHint, "{hint}");
        }
        for (unknown, says) in [
            ("", "not of this library"),
            ("[]", "not of this library"),
            ("{}", "its version is 0, and its kind \"\""),
            (
                r#"{"version":1,"revoke":{"device":{"issuer":"i"}}}"#,
                "its version is 1, and its kind \"device\"",
            ),
            (r#"{"version":2,"revoke":{"token":{"issuer":"i","token_id":"t"}}}"#, "its version is 2"),
            (r#"{"version":1,"revoke":{"token":{"issuer":"i","token_id":"t","more":1}}}"#, "kind \"token\""),
            (r#"{"version":1,"revoke":{"token":{"issuer":"i","token_id":"t"}},"more":1}"#, "kind \"token\""),
            (
                r#"{"version":1,"revoke":{"a":1},"hint":{"forgotten":{"issuer":"i","subject":"s"}}}"#,
                "its version is 1, and its kind \"a\"",
            ),
        ] {
            let EntryMeaning::NotUnderstood(reason) = entry(unknown).meaning() else { panic!("{unknown}") };
            assert!(reason.contains(says), "{unknown}: {reason}");
        }
    }
}
