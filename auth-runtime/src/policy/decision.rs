//! What a rule says of a caller, and why.

use std::fmt;

/// What a rule says of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a decision that is not checked rejects no caller: use `is_allow`"]
pub enum Decision {
    /// The caller satisfies the rule.
    Allow,
    /// The caller does not satisfy the rule.
    #[non_exhaustive]
    Deny {
        /// Why, for logs and audit: "needs role admin or editor; has viewer". A caller never sees it.
        reason: String,
        /// What the caller could do.
        remedy: Remedy,
    },
}

/// What a caller could do about a denial, as far as a protocol has words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remedy {
    /// Nothing that another token of this user would change.
    None,
    /// A token with all of these scopes (RFC 6750 §3.1).
    Scopes(Vec<String>),
    /// A newer or stronger login (RFC 9470 §3).
    StepUp {
        /// The greatest age of the login, in seconds.
        max_age: Option<u64>,
        /// The authentication context classes of which one must be reached, in order of preference.
        acr_values: Vec<String>,
    },
}

impl Decision {
    /// Whether the caller satisfies the rule.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        matches!(self, Self::Allow)
    }

    pub(super) fn deny(reason: impl Into<String>, remedy: Remedy) -> Self {
        Self::Deny { reason: reason.into(), remedy }
    }

    /// The decision of a conjunction with these decisions of its parts. A denial can be remedied only if that of every part can.
    pub(super) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let denials = parts.into_iter().filter_map(Self::into_denial);
        let joined = denials.reduce(|(reasons, remedy), (reason, other)| {
            (format!("{reasons}; and {reason}"), remedy.and(other))
        });
        joined.map_or(Self::Allow, |(reason, remedy)| Self::Deny { reason, remedy })
    }

    /// The decision of a disjunction with these decisions of its parts. A denial can be remedied if that of one part can: a newer
    /// login comes before a wider token.
    pub(super) fn any(parts: Vec<Self>) -> Self {
        if parts.iter().any(Self::is_allow) {
            return Self::Allow;
        }
        let denials: Vec<(String, Remedy)> = parts.into_iter().filter_map(Self::into_denial).collect();
        let reasons: Vec<&str> = denials.iter().map(|(reason, _)| &**reason).collect();
        let reason = match reasons.as_slice() {
            [] => "no caller satisfies the rule".to_owned(),
            [one] => (*one).to_owned(),
            several => format!("no alternative holds ({})", several.join(" | ")),
        };
        let rank = |remedy: &Remedy| match remedy {
            Remedy::StepUp { .. } => 0,
            Remedy::Scopes(_) => 1,
            Remedy::None => 2,
        };
        let remedy = denials.into_iter().map(|(_, remedy)| remedy).min_by_key(rank).unwrap_or(Remedy::None);
        Self::Deny { reason, remedy }
    }

    fn into_denial(self) -> Option<(String, Remedy)> {
        match self {
            Self::Allow => None,
            Self::Deny { reason, remedy } => Some((reason, remedy)),
        }
    }
}

impl Remedy {
    /// What remedies both of two failures. A wider token comes before a newer login: it is asked for first.
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
            Self::Deny { reason, .. } => write!(f, "denied: {reason}"),
        }
    }
}
