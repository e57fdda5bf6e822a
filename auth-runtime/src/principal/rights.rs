//! What a caller may do: the names of its credential, and those of its user, which are in place of them or limit them.

use super::{GrantedNames, Principal};
use crate::verify::NameList;
use crate::vocabulary::{BitsOf, NameKind};

/// What the roles and permissions of its user do to those of a caller's credential.
enum OfUser<'a> {
    /// The engine's `UserStore` says nothing of them.
    None,
    Replace(&'a GrantedNames),
    /// Those count that both have.
    Limit(&'a GrantedNames),
}

impl Principal {
    fn of_user(&self) -> OfUser<'_> {
        match self.user.as_deref().and_then(|user| user.granted()) {
            None => OfUser::None,
            Some(granted) if self.inner.token.restricts_grants => OfUser::Limit(granted),
            Some(granted) => OfUser::Replace(granted),
        }
    }

    /// The roles or permissions.
    pub(super) fn held(&self, kind: NameKind) -> impl Iterator<Item = &str> {
        let (replacing, limit) = match self.of_user() {
            OfUser::None => (None, None),
            OfUser::Replace(granted) => (Some(granted.names(kind)), None),
            OfUser::Limit(granted) => (None, Some(granted.names(kind))),
        };
        let of_credential = replacing.is_none().then(|| {
            let own = self.inner.names.of(list(kind), self.token_claims());
            own.chain(self.inner.brought(kind))
        });
        let of_credential = of_credential.into_iter().flatten();
        let of_credential = of_credential.filter(move |name| limit.is_none_or(|limit| contains(limit, name)));
        of_credential.chain(replacing.unwrap_or_default().iter().map(|name| &**name))
    }

    /// Whether a name is among the roles or permissions.
    pub(crate) fn holds(&self, kind: NameKind, name: &str) -> bool {
        match self.of_user() {
            OfUser::None => self.credential_holds(kind, name),
            OfUser::Replace(granted) => contains(granted.names(kind), name),
            OfUser::Limit(granted) => {
                contains(granted.names(kind), name) && self.credential_holds(kind, name)
            }
        }
    }

    /// The same, below a `not(..)` of a rule: a name counts that the credential or its user has. Otherwise a credential that limits its user
    /// would be rid of a role that the rule excludes.
    pub(crate) fn holds_to_exclude(&self, kind: NameKind, name: &str) -> bool {
        match self.of_user() {
            OfUser::Limit(granted) => {
                contains(granted.names(kind), name) || self.credential_holds(kind, name)
            }
            OfUser::None | OfUser::Replace(_) => self.holds(kind, name),
        }
    }

    /// The declared roles, scopes and permissions.
    pub(crate) fn bits(&self) -> BitsOf<'_> {
        let own = BitsOf::from(&self.inner.bits);
        match self.of_user() {
            OfUser::None => own,
            OfUser::Replace(granted) => own.replaced_by(&granted.bits),
            OfUser::Limit(granted) => own.limited_to(&granted.bits),
        }
    }

    /// The same, below a `not(..)`, as [`holds_to_exclude`](Self::holds_to_exclude).
    pub(crate) fn bits_to_exclude(&self) -> BitsOf<'_> {
        match self.of_user() {
            OfUser::Limit(granted) => BitsOf::from(&self.inner.bits).and(&granted.bits),
            OfUser::None | OfUser::Replace(_) => self.bits(),
        }
    }

    fn credential_holds(&self, kind: NameKind, name: &str) -> bool {
        self.inner.names.has(list(kind), name, self.token_claims())
            || self.inner.brought(kind).any(|has| has == name)
    }
}

/// Where a credential has the names of this kind.
fn list(kind: NameKind) -> NameList {
    match kind {
        NameKind::Role => NameList::Roles,
        NameKind::Scope => NameList::Scopes,
        NameKind::Permission => NameList::Permissions,
    }
}

fn contains(names: &[Box<str>], name: &str) -> bool {
    names.iter().any(|has| **has == *name)
}
