//! The rule tree.

use std::fmt;

use super::written::{NamedRule, Read, Written};

/// What a route asks of its caller. Made by `#[auth(..)]` and [`rule!`](crate::rule), or by the constructors here.
///
/// ```
/// use auth_runtime::{policy::Rule, rule};
///
/// const EDITORS: Rule = rule!(source = "cookie", any(roles = ["editor"], scopes = ["article:write"]));
/// assert_eq!(
///     EDITORS.to_string(),
///     "from cookie: any of (role editor; scope article:write)"
/// );
/// ```
#[derive(Clone, Copy)]
pub struct Rule {
    pub(crate) access: Access,
    pub(crate) sources: &'static [&'static str],
    requirements: Requirements,
}

#[derive(Clone, Copy)]
enum Requirements {
    Tree(&'static [Requirement]),
    Written(Written),
}

/// Who is let in before any requirement is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// No credential is looked at.
    Public,
    /// A credential is used if one is sent.
    Optional,
    /// A credential must be sent, and be good.
    Authenticated,
}

/// One node of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Requirement {
    /// The caller has any one of these roles, or a role that implies one.
    Roles(&'static [&'static str]),
    /// The token carries all of these scopes.
    Scopes(&'static [&'static str]),
    /// The caller is granted all of these permissions.
    Permissions(&'static [&'static str]),
    /// The claim of this name is as expected. A claim that is a list matches if one of its elements does.
    Claim(&'static str, Expected),
    /// The login (`auth_time`) is at most this many seconds old (RFC 9470 §3).
    MaxAge(u64),
    /// The login was of one of these authentication context classes (`acr`, RFC 9470 §3).
    Acr(&'static [&'static str]),
    /// A rule by the name of its constant.
    Named(&'static str, &'static Rule),
    /// At least one part holds; no part holds where there is none.
    Any(&'static [Requirement]),
    /// Every part holds.
    All(&'static [Requirement]),
    /// The part does not hold.
    Not(&'static Requirement),
}

/// What a claim is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// The claim equals one of these.
    OneOf(&'static [Literal]),
    /// The claim, a string or an integer, equals this parameter of the route's path, percent-decoded.
    PathParameter(&'static str),
}

/// A literal of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Literal {
    /// A string, compared byte for byte.
    String(&'static str),
    /// An integer; a claim such as `3.0` is no integer.
    Integer(i64),
    /// A boolean.
    Boolean(bool),
}

impl Rule {
    /// Any authenticated caller: what `#[auth]` alone says.
    #[must_use]
    pub const fn authenticated() -> Self {
        Self { access: Access::Authenticated, sources: &[], requirements: Requirements::Tree(&[]) }
    }

    /// Nothing is asked, and no credential is looked at.
    #[must_use]
    pub const fn public() -> Self {
        Self { access: Access::Public, sources: &[], requirements: Requirements::Tree(&[]) }
    }

    /// A credential is used if one is sent; a bad one is refused.
    #[must_use]
    pub const fn optional() -> Self {
        Self { access: Access::Optional, sources: &[], requirements: Requirements::Tree(&[]) }
    }

    /// Nobody is let in.
    #[must_use]
    pub const fn refuse_all() -> Self {
        Self {
            access: Access::Authenticated,
            sources: &[],
            requirements: Requirements::Tree(&[Requirement::Any(&[])]),
        }
    }

    /// The sources that a credential may come from, by name. None: the default of the engine.
    ///
    /// # Panics
    /// If the rule is public, since it looks at no credential; if it names sources or requirements already. In a constant
    /// this is an error of the compiler.
    #[must_use]
    pub const fn sources(mut self, names: &'static [&'static str]) -> Self {
        assert!(
            !matches!(self.access, Access::Public),
            "a public rule looks at no credential, so it has no `source`"
        );
        assert!(
            self.sources.is_empty() && self.asks_nothing(),
            "the sources of a rule are named once, and before its requirements"
        );
        self.sources = names;
        self
    }

    /// Requirements that must all hold.
    ///
    /// # Panics
    /// If the rule is public or optional, unless the one requirement is a named rule, which is then taken as it is;
    /// if a named rule that is public or optional is combined with anything else; if a named rule that names
    /// sources stands inside `any`, `all` or `not`, or beside other sources. In a constant these are errors of the
    /// compiler.
    #[must_use]
    pub const fn requires(mut self, requirements: &'static [Requirement]) -> Self {
        self.assert_takes_requirements();
        let mut rest = requirements;
        while let [part, tail @ ..] = rest {
            if let Requirement::Named(_, named) = part {
                self = self.take(named, requirements.len() == 1);
            } else {
                part.assert_nestable();
            }
            rest = tail;
        }
        self.requirements = Requirements::Tree(requirements);
        self
    }

    /// The same, from what a macro wrote: `count` requirements at the top level, and the rules that are named anywhere.
    #[doc(hidden)]
    #[must_use]
    pub const fn written(mut self, text: &'static str, count: usize, named: &'static [NamedRule]) -> Self {
        self.assert_takes_requirements();
        let mut rest = named;
        while let [NamedRule { rule, is_nested, .. }, tail @ ..] = rest {
            if *is_nested {
                rule.assert_nested();
            } else {
                self = self.take(rule, count == 1);
            }
            rest = tail;
        }
        self.requirements = Requirements::Written(Written::new(text, named));
        self
    }

    const fn assert_takes_requirements(&self) {
        assert!(
            matches!(self.access, Access::Authenticated),
            "a rule that is public or optional takes no requirements"
        );
        assert!(self.asks_nothing(), "the requirements of a rule are given once: `requires` is called twice");
    }

    const fn asks_nothing(&self) -> bool {
        matches!(self.requirements, Requirements::Tree([]))
    }

    /// What a rule that is named at the top level says of access and sources becomes this rule's.
    const fn take(mut self, named: &Self, is_alone: bool) -> Self {
        assert!(
            matches!(named.access, Access::Authenticated) || is_alone && self.sources.is_empty(),
            "`rule = ..` names a rule that is public or optional: it can only stand alone, since with \
             anything beside it it would mean something else"
        );
        assert!(
            named.sources.is_empty() || self.sources.is_empty(),
            "both this rule and the one that `rule = ..` names say `source`: keep one of the two"
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
            "`rule = ..` inside `any`, `all` or `not` names a rule that is public or optional: it has nothing to combine"
        );
        assert!(
            self.sources.is_empty(),
            "`rule = ..` inside `any`, `all` or `not` names a rule that says `source`: a source is about the \
             whole route, so write it there"
        );
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

    /// The requirements of the top level, which must all hold.
    #[must_use]
    pub fn requirements(&self) -> &'static [Requirement] {
        match self.requirements {
            Requirements::Tree(requirements) => requirements,
            Requirements::Written(written) => &written.read().requirements,
        }
    }

    /// What was read of this rule, and of those that it names, where a macro wrote them.
    pub(crate) fn read(&self) -> Vec<&'static Read> {
        let own = |rule: &Self| match rule.requirements {
            Requirements::Tree(_) => None,
            Requirements::Written(written) => Some(written.read()),
        };
        let mut read: Vec<_> = own(self).into_iter().collect();
        self.visit(&mut |part| {
            if let Requirement::Named(_, rule) = part {
                read.extend(own(rule));
            }
        });
        read
    }

    /// Why this rule, or one that it names, could not be read.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        self.read().into_iter().find_map(|read| read.fault.as_deref())
    }

    /// Calls `visit` with every requirement, those of named rules included.
    pub(crate) fn visit(&self, visit: &mut impl FnMut(&'static Requirement)) {
        self.requirements().iter().for_each(|part| part.visit(visit));
    }

    /// The path parameters that the rule compares claims with.
    pub(crate) fn path_parameters(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        self.visit(&mut |part| {
            if let Requirement::Claim(_, Expected::PathParameter(name)) = part {
                names.push(*name);
            }
        });
        names
    }
}

impl Requirement {
    /// Asserts it of every named rule inside.
    const fn assert_nestable(&self) {
        match self {
            Self::Any(parts) | Self::All(parts) => {
                let mut rest = *parts;
                while let [part, tail @ ..] = rest {
                    part.assert_nested();
                    rest = tail;
                }
            }
            Self::Not(part) => part.assert_nested(),
            _ => {}
        }
    }

    const fn assert_nested(&self) {
        match self {
            Self::Named(_, named) => named.assert_nested(),
            _ => self.assert_nestable(),
        }
    }

    fn visit(&'static self, visit: &mut impl FnMut(&'static Self)) {
        visit(self);
        match self {
            Self::Named(_, rule) => rule.visit(visit),
            Self::Any(parts) | Self::All(parts) => parts.iter().for_each(|part| part.visit(visit)),
            Self::Not(part) => part.visit(visit),
            _ => {}
        }
    }
}

/// As two rules ask for the same, in the same words.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        let parts = |rule: &Self| (rule.access, rule.sources, rule.requirements());
        parts(self) == parts(other)
    }
}

impl Eq for Rule {}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("access", &self.access)
            .field("sources", &self.sources)
            .field("requirements", &self.requirements())
            .finish()
    }
}
