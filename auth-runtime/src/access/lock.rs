//! The lock: the access of every route in a committed file, so that a change of it shows in review.
//!
//! What is compared is what the rules mean, for all callers at once. A rule that is written in another way and means the same is
//! no change. What requests meet is compared too, as axum finds it: a route that is gone may leave its requests to a wildcard.
//! Where they are not those of a route that is listed, they are told as `requests: POST /f/{}`, where `{}` is any segment.
//!
//! Not compared: whose tokens are accepted (issuers, audiences, the names of claims), in which header a source looks, the order in
//! which sources are asked, which origins are trusted, what a check does, and what routers serve that are merged without a guard.

mod callers;
mod difference;
mod shape;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::state::State;
use super::AccessTable;
use crate::policy::PolicyDocument;
use crate::router::path_shape;
use crate::vocabulary::Vocabulary;

/// The variable that makes [`AccessTable::assert_lock`] write the file.
const VARIABLE: &str = "AUTH_LOCK";
const VERSION: u32 = 1;

/// What is locked: routes with their policies, and what the vocabulary makes of roles.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Locked {
    version: u32,
    roles: BTreeMap<String, LockedRole>,
    /// The roles that are granted each permission.
    permissions: BTreeMap<String, Vec<String>>,
    routes: Vec<LockedRoute>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LockedRole {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    implies: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    excludes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LockedRoute {
    method: String,
    path: String,
    policy: PolicyDocument,
    /// The check, with its module: others may have its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    check: Option<String>,
}

/// Whose access has changed since the file was written: who gained and who lost it, each with an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessChanges {
    /// A text for each route, and for other requests that meet another route than before.
    pub changes: Vec<String>,
}

/// Why the lock does not hold.
#[derive(Debug)]
#[non_exhaustive]
pub enum LockError {
    /// There is no file yet, or it can't be read.
    File(PathBuf, std::io::Error),
    /// The file can't be written.
    NotWritten(PathBuf, std::io::Error),
    /// The file is none that this version of the library wrote.
    Unreadable(PathBuf, String),
    /// `AUTH_LOCK` is set to something else than `accept`.
    UnknownWord(String),
    /// Somebody gained access, or lost it.
    Changed(PathBuf, AccessChanges),
}

impl AccessTable {
    /// Compares the table with the file at `path`, which is committed, and fails with a difference that says who gained and who
    /// lost access. With `AUTH_LOCK=accept` in the environment it writes the file instead. For a test:
    ///
    /// ```no_run
    /// # fn table() -> auth_runtime::access::AccessTable { unimplemented!() }
    /// #[test]
    /// fn nobody_gains_access_unseen() {
    ///     table().assert_lock("access.lock"); // beside Cargo.toml
    /// }
    /// ```
    ///
    /// # Panics
    /// If there is a difference, or no such file.
    #[track_caller]
    pub fn assert_lock(&self, path: impl AsRef<Path>) {
        let path = path.as_ref();
        let result = match std::env::var_os(VARIABLE) {
            None => self.check_lock(path),
            Some(word) if word == "accept" => self.write_lock(path),
            Some(word) => Err(LockError::UnknownWord(word.to_string_lossy().into_owned())),
        };
        if let Err(error) = result {
            #[allow(clippy::panic, reason = "an assertion fails by panicking")]
            {
                panic!("{error}");
            }
        }
    }

    /// Compares the table with the file at `path`.
    ///
    /// # Errors
    /// [`LockError`]: there is a difference, or no such file.
    pub fn check_lock(&self, path: &Path) -> Result<(), LockError> {
        let text = fs::read_to_string(path).map_err(|error| LockError::File(path.to_owned(), error))?;
        let unreadable = |why: String| LockError::Unreadable(path.to_owned(), why);
        let before = Locked::from_text(&text).map_err(unreadable)?;
        let after = self.locked();
        let before = State::new(&before).map_err(unreadable)?;
        let after = State::new(&after).map_err(unreadable)?;
        let changes = difference::between(&before, &after);
        if changes.is_empty() {
            Ok(())
        } else {
            Err(LockError::Changed(path.to_owned(), AccessChanges { changes }))
        }
    }

    /// Writes the file at `path`.
    ///
    /// # Errors
    /// [`LockError::NotWritten`] if it can't be written.
    pub fn write_lock(&self, path: &Path) -> Result<(), LockError> {
        let text = self.locked().to_text();
        // What can't be read again would be found out on another day.
        let read = Locked::from_text(&text).and_then(|locked| State::new(&locked).map(drop));
        read.map_err(|why| LockError::Unreadable(path.to_owned(), why))?;
        fs::write(path, text).map_err(|error| LockError::NotWritten(path.to_owned(), error))
    }

    fn locked(&self) -> Locked {
        let (roles, permissions) = self.vocabulary.map(relations).unwrap_or_default();
        let routes = self.routes.iter().map(|route| LockedRoute {
            method: route.method.clone(),
            path: route.path.clone(),
            policy: route.policy.clone(),
            check: route.check.map(str::to_owned),
        });
        let mut routes: Vec<_> = routes.collect();
        routes.sort_by(|a, b| (&a.path, &a.method).cmp(&(&b.path, &b.method)));
        Locked { version: VERSION, roles, permissions, routes }
    }
}

impl Locked {
    fn from_text(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if version != VERSION {
            return Err(format!("it is of version {version}, and this library writes {VERSION}"));
        }
        let locked: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut places = BTreeSet::new();
        for route in &locked.routes {
            let is_new = places.insert((path_shape(&route.path), &route.method));
            if !is_new && !state::is_unknown(route) {
                return Err(format!("it has {} {} twice, as after a merge", route.method, route.path));
            }
        }
        Ok(locked)
    }

    /// JSON with a line for each role, permission and route, so that a difference of files is read by them.
    fn to_text(&self) -> String {
        fn json(value: &impl Serialize) -> String {
            serde_json::to_string(value).unwrap_or_default()
        }
        fn members<V: Serialize>(map: &BTreeMap<String, V>) -> Vec<String> {
            map.iter().map(|(name, value)| format!("{}: {}", json(name), json(value))).collect()
        }
        let block = |[open, close]: [&str; 2], lines: Vec<String>| match lines.as_slice() {
            [] => format!("{open}{close}"),
            _ => format!("{open}\n    {}\n  {close}", lines.join(",\n    ")),
        };
        format!(
            "{{\n  \"version\": {},\n  \"roles\": {},\n  \"permissions\": {},\n  \"routes\": {}\n}}\n",
            self.version,
            block(["{", "}"], members(&self.roles)),
            block(["{", "}"], members(&self.permissions)),
            block(["[", "]"], self.routes.iter().map(json).collect()),
        )
    }
}

fn relations(vocabulary: &Vocabulary) -> (BTreeMap<String, LockedRole>, BTreeMap<String, Vec<String>>) {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let roles = vocabulary.roles.iter().map(|role| {
        let locked = LockedRole { implies: owned(role.implies), excludes: owned(role.excludes) };
        (role.name.to_owned(), locked)
    });
    let permissions = vocabulary.permissions.iter();
    let permissions = permissions.map(|permission| (permission.name.to_owned(), owned(permission.roles)));
    (roles.collect(), permissions.collect())
}

impl fmt::Display for AccessChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(
                f,
                "the lock of access {} can't be read: {error}. Where there is none yet, run this test with \
                 {VARIABLE}=accept, and commit the file",
                path.display()
            ),
            Self::NotWritten(path, error) => write!(
                f,
                "the lock of access {} can't be written: {error}. See that its folder is there, and that this test may write to it",
                path.display()
            ),
            Self::Unreadable(path, why) => write!(
                f,
                "{} is no lock of access: {why}. Take it from the last commit, or write it anew with {VARIABLE}=accept",
                path.display()
            ),
            Self::UnknownWord(word) => {
                write!(f, "{VARIABLE} is `{word}`: write `{VARIABLE}=accept`, or leave it out")
            }
            Self::Changed(path, changes) => write!(
                f,
                "access has changed since {} was written:\n\n{changes}\nIf that is meant, run this test with \
                 {VARIABLE}=accept, and commit the file",
                path.display()
            ),
        }
    }
}

impl std::error::Error for LockError {}
