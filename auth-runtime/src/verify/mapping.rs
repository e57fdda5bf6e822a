//! Which claims of an issuer's tokens hold the subject, roles, scopes and permissions, and in which form.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use super::claim_name::ClaimName;
use super::claims::{Forms, TokenClaims};
use super::json::{Json, Known, Span};
use super::names::{Names, keys_in};
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
    pub(super) forms: Forms,
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
            forms: Forms::default(),
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
    fn find_subject<'c>(&self, claims: &'c TokenClaims) -> Option<Json<'c>> {
        if !self.is_absent(&self.subject, claims) {
            return self.subject.find(claims);
        }
        match &self.subject_if_absent {
            Some(other) if !self.is_absent(other, claims) => other.find(claims),
            _ => claims.known(Known::ClientId).filter(|_| self.client_is_subject),
        }
    }

    fn is_absent(&self, name: &ClaimName, claims: &TokenClaims) -> bool {
        name.is_absent(claims, self.forms.null_is_absent)
    }

    /// Returns where the subject is: a string, or the text of an integer. `None` if it is missing, empty or of another type.
    pub(super) fn subject(&self, claims: &TokenClaims) -> Option<Span> {
        let found = self.find_subject(claims)?;
        // What takes the place of an absent subject is a string.
        let integer = || found.span_of_integer().filter(|_| !self.is_absent(&self.subject, claims));
        found.span_of_string().or_else(integer).filter(|span| span.len() > 0)
    }

    /// Returns the roles, scopes and permissions of a token.
    ///
    /// # Errors
    /// If a claim that holds them has another form, with what is wrong.
    pub(super) fn read_names(&self, claims: &TokenClaims) -> Result<Names, String> {
        let null_is_absent = self.forms.null_is_absent;
        let lists = [&self.roles, &self.scopes, &self.permissions];
        let most = lists.iter().map(|list| list.most(claims, null_is_absent)).sum();
        let mut names = Names::with_space_for(most);
        for list in lists {
            list.read(claims, null_is_absent, &mut names)?;
            names.end_list();
        }
        Ok(names)
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

    /// Returns the claims that count. An absent claim holds no name.
    fn held<'c>(
        &self,
        claims: &'c TokenClaims,
        null_is_absent: bool,
    ) -> impl Iterator<Item = (Json<'c>, bool)> {
        let value =
            move |place: &Place| place.name.find(claims).filter(|value| !(null_is_absent && value.is_null()));
        let present = move |place: &Place| Some((value(place)?, place.are_keys));
        let counting = if matches!(self.places, Places::Default(_)) { 1 } else { usize::MAX };
        self.places.all().iter().filter_map(present).take(counting)
    }

    /// Returns how many names there are at most.
    fn most(&self, claims: &TokenClaims, null_is_absent: bool) -> usize {
        let count = |(value, are_keys): (Json<'_>, bool)| match value.as_str() {
            Some(text) if self.space_delimited => text.bytes().filter(|byte| *byte == b' ').count() + 1,
            Some(_) => 1,
            None if are_keys => keys_in(value).map_or(0, Iterator::count),
            None => value.elements().count(),
        };
        self.held(claims, null_is_absent).map(count).sum()
    }

    /// Adds the names, each once if they are of several claims.
    ///
    /// # Errors
    /// If a claim has another form, with what is wrong.
    fn read(&self, claims: &TokenClaims, null_is_absent: bool, names: &mut Names) -> Result<(), String> {
        for (value, are_keys) in self.held(claims, null_is_absent) {
            let earlier = names.begin_claim();
            self.read_claim(value, are_keys, claims, names)?;
            names.remove_repeated(claims, earlier);
        }
        Ok(())
    }

    fn read_claim(
        &self,
        value: Json<'_>,
        are_keys: bool,
        claims: &TokenClaims,
        names: &mut Names,
    ) -> Result<(), String> {
        let kind = self.kind;
        if are_keys && (value.is_object() || value.is_array()) {
            let keys = keys_in(value).ok_or_else(|| {
                format!(
                    "the list of the token's {kind} holds something else than objects, whose keys they are"
                )
            })?;
            names.add_once(claims, keys);
            return Ok(());
        }
        if let Some(span) = value.span_of_string() {
            if are_keys {
                return Err(format!("the token's {kind} are a string, and no object, whose keys they are"));
            }
            self.hint(value.text(), claims);
            if self.space_delimited {
                names.add_words(span, value.text());
            } else {
                names.add(span);
            }
            return Ok(());
        }
        if value.is_array() {
            return names
                .add_all(value.elements().map(Json::span_of_string))
                .ok_or_else(|| format!("the list of the token's {kind} holds something else than strings"));
        }
        Err(if value.is_null() {
            format!(
                "the token's {kind} are `null`, which `TrustedIssuer::accept_null_claims()` counts as absent"
            )
        } else {
            format!("the token's {kind} are neither a list of strings nor a string")
        })
    }

    /// Says once in the log that a string is not split where its issuer may mean a list.
    fn hint(&self, text: &str, claims: &TokenClaims) {
        let is_list_elsewhere = text.contains(',') || (!self.space_delimited && text.contains(' '));
        if !is_list_elsewhere || self.hinted.swap(true, Ordering::Relaxed) {
            return;
        }
        let kind = self.kind;
        let issuer = claims.issuer().map(|issuer| tracing::field::display(Excerpt::new(issuer)));
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

#[cfg(test)]
mod tests {
    use super::{ClaimMapping, ClaimName, Forms};
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
                forms: Forms { null_is_absent, ..Forms::default() },
                ..ClaimMapping::default()
            };
            let claims = TokenClaims::from_json(claims.as_bytes()).unwrap();
            let subject = mapping.find_subject(&claims).and_then(|subject| subject.as_str());
            assert_eq!(subject, expected, "{claims:?} {other} {client} {null_is_absent}");
        }
    }
}
