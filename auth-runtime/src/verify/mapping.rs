//! Which claims of an issuer's tokens hold the subject, roles, scopes and permissions, and in which form.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::claim_name::ClaimName;
use super::claims::{Reading, TokenClaims};
use crate::excerpt::Excerpt;

/// Which claims hold the subject, roles, scopes and permissions, and which forms of claims are accepted.
#[derive(Clone, Debug)]
pub(super) struct ClaimMapping {
    pub(super) subject: ClaimName,
    /// The claim that holds the subject of tokens without `subject`.
    pub(super) subject_if_absent: Option<ClaimName>,
    pub(super) roles: NameClaims,
    pub(super) scopes: NameClaims,
    pub(super) permissions: NameClaims,
    /// `null` counts as absent, except for `exp`.
    pub(super) null_is_absent: bool,
    /// `jti` may be an integer.
    pub(super) integer_jti: bool,
    /// `sub` may be an integer.
    pub(super) integer_sub: bool,
    /// `client_id` is the subject of a token that has none.
    pub(super) client_is_subject: bool,
}

impl Default for ClaimMapping {
    fn default() -> Self {
        Self {
            subject: "sub".into(),
            subject_if_absent: None,
            roles: NameClaims::new("roles", &["roles"]),
            scopes: NameClaims { space_delimited: true, ..NameClaims::new("scopes", &["scope", "scp"]) },
            permissions: NameClaims::new("permissions", &["permissions"]),
            null_is_absent: false,
            integer_jti: false,
            integer_sub: false,
            client_is_subject: false,
        }
    }
}

impl ClaimMapping {
    /// The mapping of tokens whose issuer has no other.
    pub(super) fn standard() -> &'static Arc<Self> {
        static STANDARD: LazyLock<Arc<ClaimMapping>> = LazyLock::new(Arc::default);
        &STANDARD
    }

    /// Returns all names of the mapping.
    pub(super) fn names(&self) -> impl Iterator<Item = &ClaimName> {
        let lists = [&self.roles, &self.scopes, &self.permissions];
        let places = lists.into_iter().flat_map(|list| list.places.all()).map(|place| &place.name);
        std::iter::once(&self.subject).chain(&self.subject_if_absent).chain(places)
    }

    /// Returns the claim that holds the subject, of whatever type it is.
    pub(super) fn find_subject<'c>(&self, claims: &'c TokenClaims) -> Option<&'c Value> {
        let is_absent = |name: &ClaimName| name.is_absent(claims, self.null_is_absent);
        if !is_absent(&self.subject) {
            return self.subject.find(claims);
        }
        match &self.subject_if_absent {
            Some(other) if !is_absent(other) => other.find(claims),
            _ => claims.get("client_id").filter(|_| self.client_is_subject),
        }
    }

    /// Returns how the claims are parsed, for an issuer that reads the claims `wanted`.
    pub(super) fn reading<'a>(&'a self, wanted: &'a Arc<[Arc<str>]>) -> Reading<'a> {
        Reading {
            wanted,
            subject: self.subject.top_level().map(|name| (name, self.subject.below())),
            keeps_sub: !self.subject.is("sub"),
            null_is_absent: self.null_is_absent,
            integer_jti: self.integer_jti,
            integer_sub: self.integer_sub,
        }
    }

    /// Returns the roles, scopes and permissions of a token.
    ///
    /// # Errors
    /// If a claim that holds them has another form, with what is wrong.
    pub(super) fn read_names(&self, claims: &TokenClaims) -> Result<Names, String> {
        let read = |of: &NameClaims| of.read(claims, self.null_is_absent);
        Ok(Names {
            roles: read(&self.roles)?,
            scopes: read(&self.scopes)?,
            permissions: read(&self.permissions)?,
        })
    }
}

/// The claims that hold names of one kind: roles, scopes or permissions.
#[derive(Clone, Debug)]
pub(super) struct NameClaims {
    kind: &'static str,
    places: Places,
    /// A string is a list of names with spaces between them. Otherwise it is one name.
    pub(super) space_delimited: bool,
    /// Whether the log has the hint on a string that may be meant as a list. All clones share it.
    hinted: Arc<AtomicBool>,
}

#[derive(Clone, Debug)]
enum Places {
    /// The first that is present counts.
    Default(Vec<Place>),
    /// All count, until the application adds one.
    Preset(Vec<Place>),
    /// All count.
    Configured(Vec<Place>),
}

impl Places {
    fn all(&self) -> &[Place] {
        match self {
            Self::Default(places) | Self::Preset(places) | Self::Configured(places) => places,
        }
    }
}

/// A claim that holds names.
#[derive(Clone, Debug)]
pub(super) struct Place {
    name: ClaimName,
    /// The names are those of an object's members.
    are_keys: bool,
}

impl Place {
    /// A list of strings, or a string.
    pub(super) fn names(name: impl Into<ClaimName>) -> Self {
        Self { name: name.into(), are_keys: false }
    }

    /// An object whose members have the names.
    pub(super) fn keys_of(name: impl Into<ClaimName>) -> Self {
        Self { name: name.into(), are_keys: true }
    }
}

impl NameClaims {
    fn new(kind: &'static str, default: &[&str]) -> Self {
        let places = Places::Default(default.iter().map(|name| Place::names(*name)).collect());
        Self { kind, places, space_delimited: false, hinted: Arc::default() }
    }

    /// Adds a place. The first one replaces the default.
    pub(super) fn add(&mut self, place: Place) {
        match &mut self.places {
            Places::Configured(places) => places.push(place),
            Places::Default(_) | Places::Preset(_) => self.places = Places::Configured(vec![place]),
        }
    }

    /// Replaces the default. All of the places count, and the first one that is added replaces them.
    pub(super) fn preset(&mut self, places: impl Into<Vec<Place>>) {
        self.places = Places::Preset(places.into());
    }

    /// Returns the names, each once if they are of several claims. An absent claim holds none.
    ///
    /// # Errors
    /// If a claim has another form, with what is wrong.
    fn read(&self, claims: &TokenClaims, null_is_absent: bool) -> Result<Vec<Box<str>>, String> {
        let value =
            |place: &Place| place.name.find(claims).filter(|value| !(null_is_absent && value.is_null()));
        let present = |place: &'_ Place| Some((value(place)?, place.are_keys));
        let mut found = self.places.all().iter().filter_map(present);
        let Some((first, are_keys)) = found.next() else { return Ok(Vec::new()) };
        let mut names = self.names_in(first, are_keys, claims)?;
        if !matches!(self.places, Places::Default(_)) {
            for (value, are_keys) in found {
                let mut more = self.names_in(value, are_keys, claims)?;
                let known: HashSet<&str> = names.iter().map(|name| &**name).collect();
                more.retain(|name| !known.contains(&**name));
                names.append(&mut more);
            }
        }
        Ok(names)
    }

    fn names_in(&self, value: &Value, are_keys: bool, claims: &TokenClaims) -> Result<Vec<Box<str>>, String> {
        let kind = self.kind;
        match value {
            Value::Object(_) | Value::Array(_) if are_keys => keys_in(value).ok_or_else(|| {
                format!(
                    "the list of the token's {kind} holds something else than objects, whose keys they are"
                )
            }),
            Value::String(_) if are_keys => {
                Err(format!("the token's {kind} are a string, and no object, whose keys they are"))
            }
            Value::String(text) => {
                self.hint(text, claims);
                let names: Vec<&str> =
                    if self.space_delimited { text.split(' ').collect() } else { vec![text.as_str()] };
                Ok(names.into_iter().filter(|name| !name.is_empty()).map(Box::from).collect())
            }
            Value::Array(list) => {
                list.iter().map(|name| name.as_str().map(Box::from)).collect::<Option<_>>().ok_or_else(|| {
                    format!("the list of the token's {kind} holds something else than strings")
                })
            }
            Value::Null => Err(format!(
                "the token's {kind} are `null`, which `TrustedIssuer::accept_null_claims()` counts as absent"
            )),
            _ => Err(format!("the token's {kind} are neither a list of strings nor a string")),
        }
    }

    /// Says once in the log that a string is not split where its issuer may mean a list.
    fn hint(&self, text: &str, claims: &TokenClaims) {
        let is_list_elsewhere = text.contains(',') || (!self.space_delimited && text.contains(' '));
        if !is_list_elsewhere || self.hinted.swap(true, Ordering::Relaxed) {
            return;
        }
        let kind = self.kind;
        let issuer = claims.issuer.as_deref().map(|issuer| tracing::field::display(Excerpt::new(issuer)));
        if self.space_delimited {
            tracing::warn!(
                kind,
                issuer,
                "auth: a token has a string with a comma, which is a part of a name: only spaces separate names \
                 (RFC 6749 §3.3). If it is meant as a list, have the issuer write a list of strings, or spaces"
            );
        } else {
            tracing::warn!(
                kind,
                issuer,
                "auth: a token has a string with a space or a comma, which is one name. If it is meant as a list, have the issuer \
                 write a list of strings; `space_delimited_roles()` and `space_delimited_permissions()` of the \
                 `TrustedIssuer` split a string at spaces"
            );
        }
    }
}

/// The names of an object's members, or of the objects of a list, each once. A member with an empty value is left out, since its name
/// is not held. `None` if there is something else than objects.
fn keys_in(value: &Value) -> Option<Vec<Box<str>>> {
    let objects = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut names: Vec<Box<str>> = Vec::new();
    for object in objects {
        let held = object.as_object()?.iter().filter(|(name, value)| !name.is_empty() && !is_empty(value));
        for (name, _) in held {
            if !names.iter().any(|known| **known == **name) {
                names.push(name.as_str().into());
            }
        }
    }
    Some(names)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

/// The roles, scopes and permissions of a token.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) roles: Vec<Box<str>>,
    pub(crate) scopes: Vec<Box<str>>,
    pub(crate) permissions: Vec<Box<str>>,
}

#[cfg(test)]
mod tests {
    use super::{ClaimMapping, ClaimName};
    use crate::verify::TokenClaims;

    #[test]
    fn the_subject_is_in_another_claim_only_where_it_is_absent() {
        for (claims, other, client, null_is_absent, expected) in [
            (r#"{"user":{"id":"u"},"uid":"s","client_id":"c"}"#, true, true, true, Some("u")),
            (r#"{"user":{},"uid":"s","client_id":"c"}"#, true, true, false, Some("s")),
            (r#"{"uid":"s","client_id":"c"}"#, false, true, false, Some("c")),
            (r#"{"uid":"s","client_id":"c"}"#, false, false, false, None),
            (r#"{"client_id":"c"}"#, true, true, false, Some("c")),
            (r#"{"client_id":"c"}"#, true, false, false, None),
            (r#"{"user":{"id":null},"uid":null,"client_id":"c"}"#, true, true, true, Some("c")),
            // Where the claim is meant to be is not said by these: nothing else is the subject.
            (r#"{"user":"u","uid":"s","client_id":"c"}"#, true, true, true, None),
            (r#"{"user":{"id":null},"uid":"s","client_id":"c"}"#, true, true, false, None),
        ] {
            let mapping = ClaimMapping {
                subject: "user.id".into(),
                subject_if_absent: other.then(|| ClaimName::literal("uid")),
                client_is_subject: client,
                null_is_absent,
                ..ClaimMapping::default()
            };
            let claims = TokenClaims::from_json(claims.as_bytes()).unwrap();
            let subject = mapping.find_subject(&claims).and_then(|subject| subject.as_str());
            assert_eq!(subject, expected, "{claims:?} {other} {client} {null_is_absent}");
        }
    }
}
