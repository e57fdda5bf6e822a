//! The content of the file.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::error::InvalidLock;
use crate::access::AccessTable;
use crate::policy::{PolicyAccess, PolicyDocument};
use crate::router::{FALLBACK, UNKNOWN, declared_label, path_shape};
use crate::vocabulary::Vocabulary;

/// The version of the format.
const VERSION: u32 = 1;

/// The content of a lock: the routes with their policies, the declared rules, and what the vocabulary says of roles and permissions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Locked {
    pub(super) version: u32,
    pub(super) roles: BTreeMap<String, LockedRole>,
    /// The roles that are granted each permission.
    pub(super) permissions: BTreeMap<String, Vec<String>>,
    /// The sources whose credentials an authenticator judges, each with its place. A lock without any has no such member.
    #[serde(default)]
    pub(super) authenticators: BTreeMap<String, String>,
    pub(super) routes: Vec<LockedRoute>,
    /// The rules that are decided outside of requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) declared: Vec<LockedRule>,
}

/// A rule that is decided outside of requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LockedRule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    pub(super) name: String,
    pub(super) policy: PolicyDocument,
}

impl LockedRule {
    /// By which two states of a rule are compared: the name of a parameter of the path makes no difference.
    pub(super) fn place(&self) -> (Option<String>, &str) {
        (self.path.as_deref().map(path_shape), &self.name)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LockedRole {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) implies: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) excludes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LockedRoute {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) policy: PolicyDocument,
    /// The check, with its module, because checks of different modules may have the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) check: Option<String>,
}

impl LockedRoute {
    /// Whether it represents a router that was merged without a guard, whose routes are not known.
    fn is_unknown(&self) -> bool {
        self.path.ends_with(UNKNOWN)
    }

    /// Whether no guard of this library is before it. The fallback of a guarded router that answers for the methods which a merged
    /// router lacks is guarded.
    pub(super) fn is_unguarded(&self) -> bool {
        self.is_unknown() && self.policy.access == PolicyAccess::Unguarded
    }

    /// Whether its rule names this source.
    pub(super) fn reads(&self, source: &str) -> bool {
        self.policy.sources.iter().any(|name| name == source)
    }

    pub(super) fn is_fallback(&self) -> bool {
        self.path.ends_with(FALLBACK)
    }
}

impl Locked {
    pub(super) fn of_table(table: &AccessTable) -> Self {
        let (roles, permissions) = table.vocabulary.map(relations).unwrap_or_default();
        let routes = table.routes.iter().map(|route| LockedRoute {
            method: route.method.clone(),
            path: route.path.clone(),
            policy: route.policy.clone(),
            check: route.check.map(str::to_owned),
        });
        let mut routes: Vec<_> = routes.collect();
        routes.sort_by(|a, b| (&a.path, &a.method).cmp(&(&b.path, &b.method)));
        let declared = table.declared.iter().map(|declared| LockedRule {
            path: declared.path.clone(),
            name: declared.name.clone(),
            policy: declared.policy.clone(),
        });
        let mut declared: Vec<_> = declared.collect();
        declared.sort_by(|a, b| (&a.path, &a.name).cmp(&(&b.path, &b.name)));
        let authenticators = table.authenticators.clone();
        Self { version: VERSION, roles, permissions, authenticators, routes, declared }
    }

    /// # Errors
    /// The text is not a lock of this version, or has a route or a declared rule twice.
    pub(super) fn from_text(text: &str) -> Result<Self, InvalidLock> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_str(text).map_err(InvalidLock::Malformed)?;
        if version != VERSION {
            return Err(InvalidLock::Invalid(format!(
                "its format has version {version}, and this library reads version {VERSION}"
            )));
        }
        let locked: Self = serde_json::from_str(text).map_err(InvalidLock::Malformed)?;
        let mut places = BTreeSet::new();
        for route in &locked.routes {
            let is_new = places.insert((path_shape(&route.path), &route.method));
            if !is_new && !route.is_unknown() {
                return Err(InvalidLock::Invalid(format!(
                    "the route {} {} is there twice, as after a merge",
                    route.method, route.path
                )));
            }
        }
        let mut places = BTreeSet::new();
        if let Some(rule) = locked.declared.iter().find(|rule| !places.insert(rule.place())) {
            let label = declared_label(rule.path.as_deref(), &rule.name);
            return Err(InvalidLock::Invalid(format!("the rule {label} is there twice, as after a merge")));
        }
        Ok(locked)
    }

    /// JSON with one line for each role, permission and route, so that a diff of two files shows them.
    pub(super) fn to_text(&self) -> String {
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
        let authenticators = match self.authenticators.is_empty() {
            true => String::new(),
            false => {
                format!("  \"authenticators\": {},\n", block(["{", "}"], members(&self.authenticators)))
            }
        };
        let declared = match self.declared.as_slice() {
            [] => String::new(),
            rules => {
                format!(",\n  \"declared\": {}", block(["[", "]"], rules.iter().map(json).collect()))
            }
        };
        format!(
            "{{\n  \"version\": {},\n  \"roles\": {},\n  \"permissions\": {},\n{authenticators}  \"routes\": {}{declared}\n}}\n",
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
