//! Rule × caller → [`Decision`].
//!
//! Two walks over the same tree: the first answers yes or no and allocates nothing, the second, for a refusal only,
//! puts the reason together. The first is by bits where the engine has a vocabulary ([`CompiledRule`]), the second by names.

use serde_json::Value;

use super::compiled::CompiledRule;
use super::decision::{Decision, Denial, Remedy};
use super::rule::{Expected, Literal, Requirement, Rule};
use crate::principal::Principal;

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
}

impl Rule {
    /// Whether all requirements hold for `principal` now. A rule that looks at the path is denied: here is none.
    ///
    /// Whether a credential is asked for at all is not decided here: that is [`Rule::access`].
    pub fn decide(&self, principal: &Principal, now: std::time::SystemTime) -> Decision {
        let facts = Facts { principal, path: &[], now: crate::clock::unix_seconds(now), leeway: 0 };
        CompiledRule::by_names(*self).evaluate(&facts)
    }
}

impl CompiledRule {
    pub(crate) fn evaluate(&self, facts: &Facts<'_>) -> Decision {
        let rule = &self.rule;
        if let Some(fault) = self.fault() {
            return Decision::Deny(Denial::new(fault, Remedy::None));
        }
        if let Some(name) = facts.unreadable_parameter(self.path_parameters()) {
            let reason = format!(
                "the rule compares a claim with {{{name}}}, which the path does not have exactly once"
            );
            return Decision::Deny(Denial::new(reason, Remedy::None));
        }
        if self.holds(facts) {
            Decision::Allow
        } else {
            Decision::Deny(facts.why_not_all(rule.requirements()))
        }
    }
}

impl Facts<'_> {
    pub(super) fn all_hold(&self, parts: &[Requirement]) -> bool {
        parts.iter().all(|part| self.holds(part))
    }

    pub(super) fn holds(&self, part: &Requirement) -> bool {
        let principal = self.principal;
        match part {
            Requirement::Roles(names) => names.iter().any(|name| principal.has_role(name)),
            Requirement::Scopes(names) => names.iter().all(|name| principal.has_scope(name)),
            Requirement::Permissions(names) => names.iter().all(|name| principal.has_permission(name)),
            Requirement::Claim(name, expected) => {
                principal.claim(name).is_some_and(|claim| self.claim_matches(claim, expected))
            }
            Requirement::MaxAge(seconds) => self.login_age().is_some_and(|age| age <= *seconds),
            Requirement::Acr(values) => principal.acr().is_some_and(|acr| values.contains(&acr)),
            Requirement::Named(_, rule) => self.all_hold(rule.requirements()),
            Requirement::Any(parts) => parts.iter().any(|part| self.holds(part)),
            Requirement::All(parts) => self.all_hold(parts),
            Requirement::Not(part) => !self.holds(part),
        }
    }

    /// Seconds since the login. A login that is said to lie in the future, by more than clocks differ, has no age that
    /// could be trusted.
    fn login_age(&self) -> Option<u64> {
        let age = self.now.checked_sub(self.principal.auth_time_seconds()?)?;
        if (-self.leeway..0).contains(&age) { Some(0) } else { u64::try_from(age).ok() }
    }

    fn claim_matches(&self, claim: &Value, expected: &Expected) -> bool {
        match claim {
            Value::Array(elements) => elements.iter().any(|element| self.value_matches(element, expected)),
            value => self.value_matches(value, expected),
        }
    }

    fn value_matches(&self, value: &Value, expected: &Expected) -> bool {
        match expected {
            Expected::OneOf(literals) => literals.iter().any(|literal| match (literal, value) {
                (Literal::String(text), Value::String(value)) => text == value,
                (Literal::Integer(number), Value::Number(value)) => value.as_i64() == Some(*number),
                (Literal::Boolean(flag), Value::Bool(value)) => flag == value,
                _ => false,
            }),
            Expected::PathParameter(name) => match (self.path_parameter(name), value) {
                (Some(parameter), Value::String(value)) => parameter == value,
                // Compared as text, in the one form an integer has: `007` and `+7` are not 7.
                (Some(parameter), Value::Number(value)) if value.is_i64() || value.is_u64() => {
                    parameter == value.to_string()
                }
                _ => false,
            },
        }
    }

    /// The first parameter that the rule wants and the path has not, or has twice: then nothing can be said of the
    /// claim, and under `not` nothing must not pass for no.
    fn unreadable_parameter(&self, wanted: &[&'static str]) -> Option<&'static str> {
        let count = |name: &str| self.path.iter().filter(|(key, _)| *key == name).count();
        wanted.iter().copied().find(|name| count(name) != 1)
    }

    fn path_parameter(&self, name: &str) -> Option<&str> {
        self.path.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    fn why_not_all(&self, parts: &[Requirement]) -> Denial {
        Denial::all(parts.iter().filter(|part| !self.holds(part)).map(|part| self.why_not(part)).collect())
    }

    /// Why `part`, which does not hold, does not.
    fn why_not(&self, part: &Requirement) -> Denial {
        let principal = self.principal;
        match part {
            Requirement::Roles(_) => {
                Denial::new(format!("needs {part}; has {}", listed(principal.roles())), Remedy::None)
            }
            Requirement::Scopes(names) => {
                let remedy = Remedy::Scopes(names.to_vec());
                Denial::new(format!("needs {part}; has {}", listed(principal.scopes())), remedy)
            }
            Requirement::Permissions(_) => {
                Denial::new(format!("needs {part}; has {}", listed(principal.permissions())), Remedy::None)
            }
            Requirement::Claim(name, _) => {
                let has = if principal.claim(name).is_some() { "another" } else { "none" };
                Denial::new(format!("needs {part}; has {has}"), Remedy::None)
            }
            Requirement::MaxAge(seconds) => {
                let has = self
                    .login_age()
                    .map_or("one of unknown age".to_owned(), |age| format!("one {age} s old"));
                let remedy = Remedy::StepUp { max_age: Some(*seconds), acr_values: Vec::new() };
                Denial::new(format!("needs {part}; has {has}"), remedy)
            }
            Requirement::Acr(values) => {
                let remedy = Remedy::StepUp { max_age: None, acr_values: values.to_vec() };
                let has = principal.acr().map_or("none".to_owned(), |acr| format!("{acr:?}"));
                Denial::new(format!("needs {part}; has {has}"), remedy)
            }
            Requirement::Named(name, rule) => {
                let inner = self.why_not_all(rule.requirements());
                Denial::new(format!("rule {name}: {}", inner.reason()), inner.remedy().clone())
            }
            Requirement::Any(parts) => Denial::any(parts.iter().map(|part| self.why_not(part)).collect()),
            Requirement::All(parts) => self.why_not_all(parts),
            Requirement::Not(part) => Denial::new(format!("must not have {part}"), Remedy::None),
        }
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
