//! What the library writes into an entry of the log: JSON, with a version, and with what an older version must do that does not know it.
//!
//! | member | an instance that does not know what is in it |
//! |---|---|
//! | `revoke` | answers 503 until it is upgraded, or the entry has expired: what it does not know could be revoked |
//! | `hint` | evicts everything from its caches: it could be what was loaded for somebody |
//! | `note` | ignores it: it is for people, and nothing is enforced by it |
//!
//! A version of the library that adds a member to a kind must give the kind another name: an older one would not enforce it.

use std::time::SystemTime;

use serde::de::IgnoredAny;
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
    /// What is written beside it. It is not read where the log is followed.
    pub(crate) note: Note,
}

/// What an entry says to people who read the list of revocations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Note {
    /// When it was recorded, by the clock of the process that did, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<i64>,
    /// The subject of a token or a session, where it was known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) of: Option<String>,
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

/// With a note of this type: none is read where it is not asked for.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<N> {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoke: Option<Revoke>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<Hint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<N>,
}

/// The note alone.
#[derive(Deserialize)]
struct Noted {
    note: Note,
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
    Issuer { issuer: String, issued_at_or_before: i64 },
    OtherIssuerGenerations { issuer: String, generation: u32 },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Hint {
    Forgotten { issuer: String, subject: String },
}

impl LoggedRevocation {
    /// The entry of the log.
    pub(crate) fn to_entry(&self) -> LogEntry {
        let written = Written::of(self.revocation.clone(), self.note.clone());
        // JSON of strings and numbers can be written; an entry that could not be is not understood, and nothing is accepted.
        let bytes = serde_json::to_vec(&written).unwrap_or_default();
        LogEntry { tag: self.tag, keep_until: self.keep_until, bytes }
    }
}

impl LogEntry {
    /// What it says.
    pub(crate) fn meaning(&self) -> EntryMeaning {
        match serde_json::from_slice::<Written<IgnoredAny>>(&self.bytes) {
            Ok(Written { version: VERSION, revoke: Some(revoke), hint: None, note: _ }) => {
                EntryMeaning::Known(revoke.into())
            }
            Ok(Written { version: VERSION, revoke: None, hint: Some(hint), note: _ }) => {
                EntryMeaning::Known(hint.into())
            }
            _ => self.unknown(),
        }
    }

    /// What it says to people; empty where there is no note, or one that can't be read.
    pub(crate) fn note(&self) -> Note {
        serde_json::from_slice(&self.bytes).map(|Noted { note }| note).unwrap_or_default()
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

impl Written<Note> {
    fn of(revocation: Revocation, note: Note) -> Self {
        let note = Some(note).filter(|note| *note != Note::default());
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
            Revocation::Issuer { issuer, issued_at_or_before } => {
                Revoke::Issuer { issuer, issued_at_or_before: unix_seconds(issued_at_or_before) }
            }
            Revocation::OtherIssuerGenerations { issuer, generation } => {
                Revoke::OtherIssuerGenerations { issuer, generation }
            }
            Revocation::Forgotten { issuer, subject } => {
                return Self {
                    version: VERSION,
                    revoke: None,
                    hint: Some(Hint::Forgotten { issuer, subject }),
                    note,
                };
            }
        };
        Self { version: VERSION, revoke: Some(revoke), hint: None, note }
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
            Revoke::Issuer { issuer, issued_at_or_before } => {
                Self::Issuer { issuer, issued_at_or_before: from_unix_seconds(issued_at_or_before) }
            }
            Revoke::OtherIssuerGenerations { issuer, generation } => {
                Self::OtherIssuerGenerations { issuer, generation }
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

    use super::{EntryMeaning, LogEntry, LoggedRevocation, Note, Revocation};

    fn logged(revocation: Revocation, note: Note) -> LoggedRevocation {
        LoggedRevocation { revocation, keep_until: UNIX_EPOCH, tag: 7, note }
    }

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
                Revocation::Issuer { issuer: issuer.clone(), issued_at_or_before },
                Revocation::OtherIssuerGenerations { issuer: issuer.clone(), generation: u32::MAX },
                Revocation::Forgotten { issuer: issuer.clone(), subject: id.clone() },
            ] {
                for note in [Note::default(), Note { at: Some(i64::MIN), of: Some(id.clone()) }] {
                    let entry = logged(revocation.clone(), note.clone()).to_entry();
                    assert_eq!(
                        (entry.meaning(), entry.note()),
                        (EntryMeaning::Known(revocation.clone()), note)
                    );
                }
            }
        }
    }

    /// Instances of an earlier version read what a later one writes, and the other way round: the bytes do not change.
    #[test]
    fn the_bytes_of_version_1() {
        let with_note =
            |revocation, note| String::from_utf8(logged(revocation, note).to_entry().bytes).unwrap();
        let bytes = |revocation| with_note(revocation, Note::default());
        let session = Revocation::Session { issuer: "i".into(), session_id: "s".into() };
        let expected = r#"{"version":1,"revoke":{"session":{"issuer":"i","session_id":"s"}}}"#;
        assert_eq!(bytes(session.clone()), expected);
        let note = Note { at: Some(1_900_000_000), of: Some("alice".into()) };
        let expected = r#"{"version":1,"revoke":{"session":{"issuer":"i","session_id":"s"}},"note":{"at":1900000000,"of":"alice"}}"#;
        assert_eq!(with_note(session.clone(), note), expected);
        let note = Note { at: Some(-1), of: None };
        let expected =
            r#"{"version":1,"revoke":{"session":{"issuer":"i","session_id":"s"}},"note":{"at":-1}}"#;
        assert_eq!(with_note(session, note), expected);
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
        let issuer = Revocation::Issuer {
            issuer: "i".into(),
            issued_at_or_before: UNIX_EPOCH + Duration::from_secs(1),
        };
        assert_eq!(
            bytes(issuer),
            r#"{"version":1,"revoke":{"issuer":{"issuer":"i","issued_at_or_before":1}}}"#
        );
        let generations = Revocation::OtherIssuerGenerations { issuer: "i".into(), generation: 7 };
        let expected = r#"{"version":1,"revoke":{"other_issuer_generations":{"issuer":"i","generation":7}}}"#;
        assert_eq!(bytes(generations), expected);
        let forgotten = Revocation::Forgotten { issuer: "i".into(), subject: "s".into() };
        assert_eq!(bytes(forgotten), r#"{"version":1,"hint":{"forgotten":{"issuer":"i","subject":"s"}}}"#);
    }

    /// Whatever a later version writes into the note, this one enforces the revocation.
    #[test]
    fn a_note_changes_nothing_that_is_enforced() {
        let session = Revocation::Session { issuer: "i".into(), session_id: "s".into() };
        let known = Note { at: Some(7), of: Some("alice".into()) };
        for (note, read) in [
            (r#"{"at":7,"of":"alice"}"#, &known),
            (r#"{"by":{"actor":["eve"]},"of":"alice","at":7,"reason":null}"#, &known),
            ("{}", &Note::default()),
            ("null", &Note::default()),
            ("7", &Note::default()),
            (r#""alice""#, &Note::default()),
            (r#"{"at":"today","of":"alice"}"#, &Note::default()),
            (r#"{"at":1e300}"#, &Note::default()),
        ] {
            let text = format!(
                r#"{{"version":1,"note":{note},"revoke":{{"session":{{"issuer":"i","session_id":"s"}}}}}}"#
            );
            let entry = entry(&text);
            assert_eq!(entry.meaning(), EntryMeaning::Known(session.clone()), "{note}");
            assert_eq!(entry.note(), *read, "{note}");
        }
        // It does not make up for what is missing.
        let alone = entry(r#"{"version":1,"note":{"at":7}}"#);
        assert!(matches!(alone.meaning(), EntryMeaning::NotUnderstood(_)));
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
