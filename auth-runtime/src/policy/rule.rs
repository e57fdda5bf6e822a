//! A rule as a constant: what the macros write, and what is checked of it by the compiler.

use super::condition::Condition;

/// What a route requires of its caller. [`rule!`](crate::rule) and `#[auth(..)]` make one.
///
/// ```
/// use auth_runtime::{policy::Rule, rule};
///
/// const EDITORS: Rule = rule!(source = "cookie", any(roles = ["editor"], scopes = ["article:write"]));
/// assert_eq!(EDITORS.to_string(), "from cookie: role editor, or scope article:write");
/// ```
///
/// A rule that is not known when the program is compiled is made from [`Condition`]s:
///
/// ```
/// use auth_runtime::policy::{Condition, Rule};
///
/// let conditions = vec![Condition::Roles(vec!["admin".into()])];
/// let rule = Rule::authenticated().requires(conditions.leak());
/// assert_eq!(rule, auth_runtime::rule!(roles = ["admin"]));
/// ```
#[derive(Clone, Copy)]
pub struct Rule {
    access: Access,
    sources: &'static [&'static str],
    pub(super) requirements: Requirements,
}

/// Where the conditions of a rule are.
#[derive(Clone, Copy)]
pub(super) enum Requirements {
    Conditions(&'static [Condition]),
    /// One literal, which takes the compiler no time, where a tree of constants takes some milliseconds. It is decoded when a route
    /// is mounted.
    Encoded {
        text: &'static str,
        named: &'static [NamedRule],
    },
}

/// Whether a credential is required, before any requirement of the rule is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// No credential is looked at.
    Public,
    /// A credential is used if one is sent.
    Optional,
    /// A valid credential must be sent.
    Authenticated,
}

/// A rule that another one names with `rule = CONST`. For the expansion of the macros.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct NamedRule {
    pub(super) rule: &'static Rule,
    /// It is named inside `any`, `all` or `not`.
    is_nested: bool,
}

impl NamedRule {
    #[must_use]
    pub const fn new(rule: &'static Rule, is_nested: bool) -> Self {
        Self { rule, is_nested }
    }
}

impl Rule {
    /// Any authenticated caller: what `#[auth]` without arguments says.
    #[must_use]
    pub const fn authenticated() -> Self {
        Self::with_access(Access::Authenticated)
    }

    /// Nothing is required, and no credential is looked at.
    #[must_use]
    pub const fn public() -> Self {
        Self::with_access(Access::Public)
    }

    /// A credential is used if one is sent. An invalid one is rejected, but a cookie that has expired or was revoked counts
    /// as absent.
    #[must_use]
    pub const fn optional() -> Self {
        Self::with_access(Access::Optional)
    }

    /// A rule that no caller satisfies.
    #[must_use]
    pub const fn deny_all() -> Self {
        const NEVER: &[Condition] = &[Condition::NEVER];
        Self::authenticated().requires(NEVER)
    }

    const fn with_access(access: Access) -> Self {
        Self { access, sources: &[], requirements: Requirements::Conditions(&[]) }
    }

    /// Sets the sources that a credential may come from, by name. Without this call: the engine's default.
    ///
    /// # Panics
    /// If the rule is public, since it looks at no credential; if it has sources or requirements already. In a constant
    /// this is an error of the compiler.
    #[must_use]
    pub const fn sources(mut self, names: &'static [&'static str]) -> Self {
        assert!(
            !matches!(self.access, Access::Public),
            "a public rule looks at no credential, so it takes no sources: remove `.sources(..)`, or start with `Rule::authenticated()`"
        );
        assert!(
            self.sources.is_empty() && self.has_no_requirements(),
            "the sources of a rule are given once, and before its requirements: call `.sources(..)` once, before `.requires(..)`"
        );
        self.sources = names;
        self
    }

    /// Sets the conditions, which must all hold.
    ///
    /// # Panics
    /// If the rule is public or optional, or has requirements already. In a constant this is an error of the compiler.
    #[must_use]
    pub const fn requires(mut self, conditions: &'static [Condition]) -> Self {
        self.assert_takes_requirements();
        self.requirements = Requirements::Conditions(conditions);
        self
    }

    /// The same, from what a macro wrote: `count` requirements at the top level, and the rules that are named anywhere.
    ///
    /// # Panics
    /// If a named rule that is public or optional is combined with anything else; if a named rule that has sources is inside
    /// `any`, `all` or `not`, or next to other sources. In a constant these are errors of the compiler.
    #[doc(hidden)]
    #[must_use]
    pub const fn encoded(mut self, text: &'static str, count: usize, named: &'static [NamedRule]) -> Self {
        self.assert_takes_requirements();
        let mut rest = named;
        while let [NamedRule { rule, is_nested }, tail @ ..] = rest {
            if *is_nested {
                rule.assert_nested();
            } else {
                self = self.take(rule, count == 1);
            }
            rest = tail;
        }
        self.requirements = Requirements::Encoded { text, named };
        self
    }

    const fn assert_takes_requirements(&self) {
        assert!(
            matches!(self.access, Access::Authenticated),
            "a rule that is public or optional takes no requirements: start with `Rule::authenticated()`"
        );
        assert!(
            self.has_no_requirements(),
            "the requirements of a rule are given once: call `.requires(..)` once, with all conditions"
        );
    }

    const fn has_no_requirements(&self) -> bool {
        matches!(self.requirements, Requirements::Conditions([]))
    }

    /// What a rule that is named at the top level says of access and sources becomes this rule's.
    const fn take(mut self, named: &Self, is_alone: bool) -> Self {
        assert!(
            matches!(named.access, Access::Authenticated) || is_alone && self.sources.is_empty(),
            "`rule = ..` names a rule that is public or optional: remove the other arguments, since such a rule \
             can't be combined with any"
        );
        assert!(
            named.sources.is_empty() || self.sources.is_empty(),
            "both this rule and the one that `rule = ..` names have `source`: remove one of the two"
        );
        if !named.sources.is_empty() {
            self.sources = named.sources;
        }
        self.access = named.access;
        self
    }

    /// A named rule inside `any`, `all` or `not` is requirements and nothing else.
    const fn assert_nested(&self) {
        assert!(
            matches!(self.access, Access::Authenticated),
            "`rule = ..` inside `any`, `all` or `not` names a rule that is public or optional: it has no requirements \
             that could be combined, so remove it"
        );
        assert!(
            self.sources.is_empty(),
            "`rule = ..` inside `any`, `all` or `not` names a rule that has `source`: a source is for the \
             whole route, so write `source` there and remove it from the named rule"
        );
    }

    /// Whether both are written alike, with the same rules that they name. Nothing is decoded: it takes as long as comparing two short
    /// texts.
    pub(crate) fn is_identical(&self, other: &Self) -> bool {
        let has_same_requirements = match (&self.requirements, &other.requirements) {
            (Requirements::Conditions(one), Requirements::Conditions(other)) => one == other,
            (
                Requirements::Encoded { text: one, named: of_one },
                Requirements::Encoded { text: other, named: of_other },
            ) => {
                let is_same = |(one, other): (&NamedRule, &NamedRule)| {
                    one.is_nested == other.is_nested && one.rule.is_identical(other.rule)
                };
                one == other && of_one.len() == of_other.len() && of_one.iter().zip(*of_other).all(is_same)
            }
            _ => false,
        };
        has_same_requirements && self.access == other.access && self.sources == other.sources
    }

    /// Who is let in before any requirement is looked at.
    #[must_use]
    pub const fn access(&self) -> Access {
        self.access
    }

    /// The names of the sources; empty for the default of the engine.
    #[must_use]
    pub const fn source_names(&self) -> &'static [&'static str] {
        self.sources
    }
}
