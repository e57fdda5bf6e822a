//! A rule in words, for tables and logs.

use std::fmt;

use super::rule::{Access, Expected, Literal, Requirement, Rule};

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.sources.is_empty() {
            write!(f, "from {}: ", self.sources.join(" or "))?;
        }
        match self.requirements_in_words() {
            Some(words) if self.access == Access::Authenticated => f.write_str(&words),
            _ => self.access.fmt(f),
        }
    }
}

impl Rule {
    /// The requirements alone, in words; `None` where there are none.
    pub(crate) fn requirements_in_words(&self) -> Option<String> {
        let words: Vec<_> = self.requirements().iter().map(Requirement::to_string).collect();
        (!words.is_empty()).then(|| words.join("; and "))
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Optional => "optional",
            Self::Authenticated => "any authenticated caller",
        })
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Roles([one]) => write!(f, "role {one}"),
            Self::Roles(names) => write!(f, "any of the roles {}", names.join(", ")),
            Self::Scopes([one]) => write!(f, "scope {one}"),
            Self::Scopes(names) => write!(f, "all of the scopes {}", names.join(", ")),
            Self::Permissions([one]) => write!(f, "permission {one}"),
            Self::Permissions(names) => write!(f, "all of the permissions {}", names.join(", ")),
            Self::Claim(name, Expected::PathParameter(parameter)) => {
                write!(f, "claim {name} equal to {{{parameter}}} of the path")
            }
            Self::Claim(name, Expected::OneOf([one])) => write!(f, "claim {name} equal to {one}"),
            Self::Claim(name, Expected::OneOf(literals)) => {
                write!(f, "claim {name} one of ")?;
                joined(f, literals, ", ")
            }
            Self::MaxAge(seconds) => write!(f, "a login at most {seconds} s old"),
            Self::Acr(values) => write!(f, "a login of class {}", values.join(" or ")),
            // Who reads it may not know the source.
            Self::Named(name, rule) => {
                let words = rule.requirements_in_words().unwrap_or_else(|| Access::Authenticated.to_string());
                write!(f, "rule {name} ({words})")
            }
            Self::Any([]) => f.write_str("nobody"),
            Self::Any(parts) => {
                f.write_str("any of (")?;
                joined(f, parts, "; ")?;
                f.write_str(")")
            }
            Self::All(parts) => {
                f.write_str("all of (")?;
                joined(f, parts, "; ")?;
                f.write_str(")")
            }
            Self::Not(part) => write!(f, "not ({part})"),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write!(f, "{text:?}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Boolean(flag) => write!(f, "{flag}"),
        }
    }
}

pub(super) fn joined<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    parts: &[T],
    separator: &str,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        write!(f, "{part}")?;
    }
    Ok(())
}
