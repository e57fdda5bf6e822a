//! The former reader, as it was: what the reader of today is compared with. It makes a tree of `serde_json` of each claim that is asked for.
//!
//! `json` and `claims` are the code of then, with its tests; this file has what read the claims of an issuer.

mod claims;
mod json;

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use self::claims::Reading;
pub(super) use self::claims::TokenClaims;
use crate::excerpt::Excerpt;
use crate::verify::VerifyError;

pub(super) type Path = Vec<&'static str>;

/// What a claim must be.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    Present,
    OneOf(Vec<Value>),
    IsLongText,
    Absent,
    AbsentOr(Box<Rule>),
}

/// The claims that hold names of one kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    /// With whether the names are those of an object's members. The default if there is none.
    pub(super) places: Vec<(Path, bool)>,
    pub(super) space_delimited: bool,
}

/// An issuer, and how its tokens are read.
#[derive(Clone, Debug, Default)]
pub(super) struct Issuer {
    pub(super) name: &'static str,
    /// `None`: any.
    pub(super) audience: Option<&'static str>,
    pub(super) single_audience: bool,
    pub(super) audience_without_aud: Option<Path>,
    pub(super) subject: Path,
    pub(super) subject_if_absent: Option<Path>,
    pub(super) client_is_subject: bool,
    pub(super) null_is_absent: bool,
    pub(super) integer_jti: bool,
    pub(super) integer_sub: bool,
    pub(super) roles: Lists,
    pub(super) scopes: Lists,
    pub(super) permissions: Lists,
    pub(super) rules: Vec<(Path, Rule)>,
}

/// What was read of a token.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) claims: TokenClaims,
    pub(super) subject: Option<String>,
    /// The roles, the scopes and the permissions.
    pub(super) names: Result<[Vec<Box<str>>; 3], ()>,
}

/// Reads the payload of a token whose signature is valid.
pub(super) fn read(issuers: &[Issuer], payload: &[u8]) -> Result<Token, VerifyError> {
    let issuer = match issuers {
        [one] => one,
        several => {
            let iss = TokenClaims::issuer_of(payload)?;
            let chosen = several.iter().find(|issuer| iss.as_deref() == Some(issuer.name));
            chosen.ok_or_else(|| match iss {
                Some(iss) => VerifyError::UntrustedIssuer(Excerpt::new(&iss)),
                None => VerifyError::MissingClaim("iss"),
            })?
        }
    };
    let claims = issuer.claims(payload)?;
    issuer.check(&claims)?;
    let (subject, names) = (issuer.subject(&claims), issuer.names(&claims));
    Ok(Token { claims, subject, names })
}

impl Issuer {
    fn claims(&self, payload: &[u8]) -> Result<TokenClaims, VerifyError> {
        let lists = [&self.roles.places, &self.scopes.places, &self.permissions.places];
        let mut wanted: HashSet<&str> = lists.into_iter().flatten().map(|(path, _)| path[0]).collect();
        let others = self.subject_if_absent.iter().chain(&self.audience_without_aud);
        wanted.extend(others.chain(self.rules.iter().map(|(path, _)| path)).map(|path| path[0]));
        wanted.extend([self.subject[0], "roles", "scope", "scp", "permissions"]);
        let wanted: Arc<[Arc<str>]> = wanted.into_iter().map(Arc::from).collect();
        let below: Vec<Box<str>> = self.subject[1..].iter().map(|name| Box::from(*name)).collect();
        let reading = Reading {
            wanted: &wanted,
            subject: Some((self.subject[0], &below)),
            keeps_sub: true,
            null_is_absent: self.null_is_absent,
            integer_jti: self.integer_jti,
            integer_sub: self.integer_sub,
        };
        TokenClaims::read(payload.to_vec(), &reading)
    }

    fn check(&self, claims: &TokenClaims) -> Result<(), VerifyError> {
        match claims.issuer.as_deref() {
            Some(iss) if iss != self.name => return Err(VerifyError::UntrustedIssuer(Excerpt::new(iss))),
            None => return Err(VerifyError::MissingClaim("iss")),
            _ => {}
        }
        self.check_audience(claims)?;
        if !self.rules.iter().all(|(path, rule)| self.accepts(rule, path, claims)) {
            return Err(VerifyError::ClaimRejected);
        }
        if claims.is_logout_token {
            return Err(VerifyError::LogoutToken);
        }
        if claims.sender_constrained { Err(VerifyError::SenderConstrained) } else { Ok(()) }
    }

    fn check_audience(&self, claims: &TokenClaims) -> Result<(), VerifyError> {
        let wrong = |audience: &[Box<str>]| Err(VerifyError::WrongAudience(Excerpt::of_list(audience)));
        let Some(name) = self.audience else { return Ok(()) };
        let Some(audience) = claims.audience.as_deref() else {
            let path = self.audience_without_aud.as_ref();
            return match path.and_then(|path| find(path, claims)?.as_str()) {
                Some(client) if client == name => Ok(()),
                Some(client) => Err(VerifyError::WrongClient(Excerpt::new(client))),
                None => Err(VerifyError::MissingClaim("aud")),
            };
        };
        let is_named = audience.iter().any(|aud| **aud == *name);
        if is_named && (audience.len() == 1 || !self.single_audience) { Ok(()) } else { wrong(audience) }
    }

    fn accepts(&self, rule: &Rule, path: &Path, claims: &TokenClaims) -> bool {
        let value = || find(path, claims).filter(|value| !(self.null_is_absent && value.is_null()));
        match rule {
            Rule::Present => value().is_some_and(|value| !value.is_null()),
            Rule::OneOf(values) => value().is_some_and(|value| values.contains(value)),
            Rule::IsLongText => value().is_some_and(is_long_text),
            Rule::Absent => self.is_absent(path, claims),
            Rule::AbsentOr(rule) => self.is_absent(path, claims) || self.accepts(rule, path, claims),
        }
    }

    fn is_absent(&self, path: &Path, claims: &TokenClaims) -> bool {
        let mut found = claims.get(path[0]);
        for name in &path[1..] {
            found = match found {
                Some(Value::Object(members)) => members.get(*name),
                _ => break,
            };
        }
        match found {
            None => true,
            Some(Value::Null) => self.null_is_absent,
            Some(_) => false,
        }
    }

    fn find_subject<'c>(&self, claims: &'c TokenClaims) -> Option<&'c Value> {
        if !self.is_absent(&self.subject, claims) {
            return find(&self.subject, claims);
        }
        match &self.subject_if_absent {
            Some(other) if !self.is_absent(other, claims) => find(other, claims),
            _ => claims.get("client_id").filter(|_| self.client_is_subject),
        }
    }

    fn subject(&self, claims: &TokenClaims) -> Option<String> {
        let subject = match self.find_subject(claims)? {
            Value::String(text) => text,
            Value::Number(_) => claims.integer_subject.as_deref()?,
            _ => return None,
        };
        Some(subject.to_owned()).filter(|subject| !subject.is_empty())
    }

    fn names(&self, claims: &TokenClaims) -> Result<[Vec<Box<str>>; 3], ()> {
        Ok([
            self.read_names(&self.roles, &["roles"], false, claims)?,
            self.read_names(&self.scopes, &["scope", "scp"], true, claims)?,
            self.read_names(&self.permissions, &["permissions"], false, claims)?,
        ])
    }

    fn read_names(
        &self,
        lists: &Lists,
        default: &[&'static str],
        is_split: bool,
        claims: &TokenClaims,
    ) -> Result<Vec<Box<str>>, ()> {
        let by_default: Vec<(Path, bool)> = default.iter().map(|name| (vec![*name], false)).collect();
        let places = if lists.places.is_empty() { &by_default } else { &lists.places };
        let is_split = is_split || lists.space_delimited;
        let present = |(path, are_keys): &(Path, bool)| {
            let value = find(path, claims).filter(|value| !(self.null_is_absent && value.is_null()))?;
            Some((value, *are_keys))
        };
        let mut found = places.iter().filter_map(present);
        let Some((first, are_keys)) = found.next() else { return Ok(Vec::new()) };
        let mut names = names_in(first, are_keys, is_split)?;
        if !lists.places.is_empty() {
            for (value, are_keys) in found {
                let mut more = names_in(value, are_keys, is_split)?;
                more.retain(|name| !names.contains(name));
                names.append(&mut more);
            }
        }
        Ok(names)
    }
}

/// What [`Rule::IsLongText`] accepts.
pub(super) fn is_long_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() > 3)
}

fn find<'c>(path: &Path, claims: &'c TokenClaims) -> Option<&'c Value> {
    path[1..].iter().try_fold(claims.get(path[0])?, |value, name| value.get(*name))
}

fn names_in(value: &Value, are_keys: bool, is_split: bool) -> Result<Vec<Box<str>>, ()> {
    match value {
        Value::Object(_) | Value::Array(_) if are_keys => keys_in(value).ok_or(()),
        Value::String(text) if !are_keys => {
            let names: Vec<&str> = if is_split { text.split(' ').collect() } else { vec![text] };
            Ok(names.into_iter().filter(|name| !name.is_empty()).map(Box::from).collect())
        }
        Value::Array(list) => {
            list.iter().map(|name| name.as_str().map(Box::from)).collect::<Option<_>>().ok_or(())
        }
        _ => Err(()),
    }
}

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
