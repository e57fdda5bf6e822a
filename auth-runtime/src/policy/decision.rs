//! What a rule says of a caller, and why.

use std::fmt;

/// What a rule says of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a decision that nobody looks at lets everyone in"]
pub enum Decision {
    /// The rule is kept.
    Allow,
    /// The rule is not kept.
    Deny(Denial),
}

/// Why a rule was not kept. Its text is for logs and audit; a caller never sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Denial {
    reason: String,
    remedy: Remedy,
}

/// What the caller could do about a denial, as far as a protocol has words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remedy {
    /// Nothing that another token of this user would change.
    None,
    /// A token with all of these scopes (RFC 6750 §3.1).
    Scopes(Vec<&'static str>),
    /// A fresher or stronger login (RFC 9470 §3).
    StepUp {
        /// The greatest age of the login, in seconds.
        max_age: Option<u64>,
        /// The classes of which one must be reached, in order of preference.
        acr_values: Vec<&'static str>,
    },
}

impl Decision {
    /// Whether the rule is kept.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        matches!(self, Self::Allow)
    }
}

impl Denial {
    pub(crate) fn new(reason: impl Into<String>, remedy: Remedy) -> Self {
        Self { reason: reason.into(), remedy }
    }

    /// The reason in words: "needs any of the roles admin, editor; has viewer".
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// What the caller could do.
    #[must_use]
    pub fn remedy(&self) -> &Remedy {
        &self.remedy
    }

    /// The denial of a conjunction of which all of these parts failed. It can be remedied only if every part can.
    pub(super) fn all(mut parts: Vec<Self>) -> Self {
        match parts.pop() {
            Some(one) if parts.is_empty() => return one,
            Some(last) => parts.push(last),
            None => {}
        }
        let remedy = parts.iter().map(|part| part.remedy.clone()).reduce(Remedy::and).unwrap_or(Remedy::None);
        let reasons: Vec<_> = parts.into_iter().map(|part| part.reason).collect();
        Self { reason: reasons.join("; and "), remedy }
    }

    /// The denial of a disjunction of which all parts failed. It can be remedied if one part can: a fresher login
    /// comes before a wider token.
    pub(super) fn any(parts: Vec<Self>) -> Self {
        let first = |wanted: fn(&Remedy) -> bool| {
            parts.iter().map(|part| &part.remedy).find(|&remedy| wanted(remedy))
        };
        let remedy = first(|remedy| matches!(remedy, Remedy::StepUp { .. }))
            .or_else(|| first(|remedy| matches!(remedy, Remedy::Scopes(_))))
            .cloned()
            .unwrap_or(Remedy::None);
        let reason = match parts.as_slice() {
            [] => "nobody is let in".to_owned(),
            [one] => one.reason.clone(),
            several => {
                let reasons: Vec<_> = several.iter().map(|part| part.reason.as_str()).collect();
                format!("no alternative holds ({})", reasons.join(" | "))
            }
        };
        Self { reason, remedy }
    }
}

impl Remedy {
    /// What remedies both of two failures. A wider token comes before a fresher login: it is asked for first.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, _) | (_, Self::None) => Self::None,
            (Self::Scopes(mut scopes), Self::Scopes(more)) => {
                scopes.extend(more);
                Self::Scopes(scopes)
            }
            (scopes @ Self::Scopes(_), _) | (_, scopes @ Self::Scopes(_)) => scopes,
            (
                Self::StepUp { max_age: a, acr_values: mut classes },
                Self::StepUp { max_age: b, acr_values: more },
            ) => {
                for class in more {
                    if !classes.contains(&class) {
                        classes.push(class);
                    }
                }
                let max_age = match (a, b) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
                Self::StepUp { max_age, acr_values: classes }
            }
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow => f.write_str("allowed"),
            Self::Deny(denial) => write!(f, "denied: {denial}"),
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}
