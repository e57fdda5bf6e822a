//! Conditions × caller, by names: whether they hold, and why not.

use super::condition::{Condition, Expected, Literal};
use super::decision::{Decision, Remedy};
use crate::principal::{Principal, TOKENS};
use crate::verify::Json;
use crate::vocabulary::{BitsOf, NameKind};

/// What a rule is evaluated on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) principal: &'a Principal,
    /// The parameters of the route's path, percent-decoded.
    pub(crate) path: &'a [(&'a str, &'a str)],
    /// Seconds since the epoch.
    pub(crate) now: i64,
    /// Seconds by which the clock that made the claims may be ahead of this one.
    pub(crate) leeway: i64,
    /// Whether what is evaluated is below a `not(..)`, or below an odd number of them.
    pub(crate) is_negated: bool,
}

impl<'a> Facts<'a> {
    /// The same, one `not(..)` deeper.
    pub(super) fn negated(self) -> Self {
        Self { is_negated: !self.is_negated, ..self }
    }

    /// The declared names of the caller.
    pub(super) fn bits(&self) -> BitsOf<'a> {
        if self.is_negated { self.principal.bits_to_exclude() } else { self.principal.bits() }
    }

    /// Whether the caller has this role or permission.
    fn has(&self, kind: NameKind, name: &str) -> bool {
        if self.is_negated {
            self.principal.holds_to_exclude(kind, name)
        } else {
            self.principal.holds(kind, name)
        }
    }

    pub(super) fn holds(&self, condition: &Condition) -> bool {
        let principal = self.principal;
        match condition {
            Condition::Roles(names) => names.iter().any(|name| self.has(NameKind::Role, name)),
            Condition::Scopes(names) => names.iter().all(|name| principal.has_scope(name)),
            Condition::Permissions(names) => names.iter().all(|name| self.has(NameKind::Permission, name)),
            Condition::Claim(claim) => principal
                .find_claim(&claim.name)
                .is_some_and(|value| self.claim_matches(value, &claim.expected)),
            Condition::MaxAge(seconds) => self.login_age().is_some_and(|age| age <= *seconds),
            Condition::Acr(classes) => {
                principal.acr().is_some_and(|acr| classes.iter().any(|class| class == acr))
            }
            Condition::Amr(methods) => {
                methods.iter().any(|method| principal.amr().any(|used| used == method))
            }
            Condition::Any(parts) => parts.iter().any(|part| self.holds(part)),
            Condition::All(parts) => parts.iter().all(|part| self.holds(part)),
            Condition::Not(part) => !self.negated().holds(part),
        }
    }

    /// The decision on a list of conditions, with the reasons of those that do not hold.
    pub(super) fn explain_all(&self, conditions: &[Condition]) -> Decision {
        let failed = conditions.iter().filter(|condition| !self.holds(condition));
        Decision::all(failed.map(|condition| self.explain_failure(condition)))
    }

    /// Why a condition that does not hold does not.
    fn explain_failure(&self, condition: &Condition) -> Decision {
        let principal = self.principal;
        let (has, remedy) = match condition {
            Condition::Roles(_) => (listed(principal.roles()), Remedy::None),
            Condition::Scopes(names) => (listed(principal.scopes()), Remedy::Scopes(names.clone())),
            Condition::Permissions(_) => (listed(principal.permissions()), Remedy::None),
            Condition::Claim(claim) => {
                let has = if principal.find_claim(&claim.name).is_some() { "another" } else { "none" };
                (has.to_owned(), Remedy::None)
            }
            Condition::MaxAge(seconds) => {
                let age = self.login_age();
                let has = age.map_or("one of unknown age".to_owned(), |age| format!("one {age} s old"));
                (has, self.step_up(Some(*seconds), &[]))
            }
            Condition::Acr(classes) => {
                let has = principal.acr().map_or("none".to_owned(), |acr| format!("{acr:?}"));
                (has, self.step_up(None, classes))
            }
            // No parameter of a challenge names a method (RFC 9470 §3): the error code alone asks for another login.
            Condition::Amr(_) => (listed(principal.amr()), self.step_up(None, &[])),
            Condition::Any(parts) => {
                return Decision::any(parts.iter().map(|part| self.explain_failure(part)).collect());
            }
            Condition::All(parts) => return self.explain_all(parts),
            Condition::Not(part) => return Decision::deny(format!("must not have {part}"), Remedy::None),
        };
        Decision::deny(format!("needs {condition}; has {has}"), remedy)
    }

    /// A newer or stronger login. It remedies nothing for a credential that no login made, such as a key of a program: its caller would be
    /// challenged for ever.
    fn step_up(&self, max_age: Option<u64>, acr_values: &[String]) -> Remedy {
        let is_of_login = self.principal.scheme() == TOKENS || self.principal.auth_time_seconds().is_some();
        if is_of_login { Remedy::StepUp { max_age, acr_values: acr_values.to_vec() } } else { Remedy::None }
    }

    /// The first of these parameters that the path does not have exactly once.
    pub(super) fn unreadable_parameter<'n>(&self, wanted: &'n [String]) -> Option<&'n str> {
        let count = |name: &str| self.path.iter().filter(|(key, _)| *key == name).count();
        wanted.iter().map(|name| &**name).find(|name| count(name) != 1)
    }

    /// Seconds since the login. A login that lies in the future, by more than clocks differ, has no age that can be trusted.
    fn login_age(&self) -> Option<u64> {
        let age = self.now.checked_sub(self.principal.auth_time_seconds()?)?;
        if (-self.leeway..0).contains(&age) { Some(0) } else { u64::try_from(age).ok() }
    }

    fn claim_matches(&self, claim: Json<'_>, expected: &Expected) -> bool {
        if claim.is_array() {
            claim.elements().any(|element| self.value_matches(element, expected))
        } else {
            self.value_matches(claim, expected)
        }
    }

    fn value_matches(&self, value: Json<'_>, expected: &Expected) -> bool {
        match expected {
            Expected::OneOf(literals) => literals.iter().any(|literal| match literal {
                Literal::String(text) => value.as_str() == Some(text),
                Literal::Integer(number) => value.number().and_then(|value| value.as_i64()) == Some(*number),
                Literal::Boolean(flag) => value.as_bool() == Some(*flag),
            }),
            Expected::PathParameter(name) => self.path_parameter(name).is_some_and(|parameter| {
                let whole = || value.number().filter(|number| number.is_i64() || number.is_u64());
                // Compared as text, in the one form an integer has: `007` and `+7` are not 7.
                value.as_str() == Some(parameter)
                    || whole().is_some_and(|number| parameter == number.to_string())
            }),
        }
    }

    fn path_parameter(&self, name: &str) -> Option<&str> {
        self.path.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }
}

/// How many names a reason lists. A token can have thousands of them.
const LISTED: usize = 16;

fn listed<'a>(mut names: impl Iterator<Item = &'a str>) -> String {
    // They are the token's: a line break in one must not begin a line of the log.
    let first: Vec<_> = names.by_ref().take(LISTED).map(|name| name.escape_debug().to_string()).collect();
    if first.is_empty() {
        return "none".to_owned();
    }
    let more = names.count();
    let listed = first.join(", ");
    if more == 0 { listed } else { format!("{listed} and {more} more") }
}
