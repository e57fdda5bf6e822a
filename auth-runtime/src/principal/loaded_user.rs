//! What a `UserStore` loaded for a caller.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::Unidentified;
use crate::verify::Excerpt;
use crate::vocabulary::{NameKind, ReplacedBits, VocabularyIndex};

/// A user of the application's, and what it may do if that is in place of what the token says.
pub(crate) struct LoadedUser {
    value: Arc<dyn Any + Send + Sync>,
    granted: Option<GrantedNames>,
}

/// Roles and permissions in place of those of a token, with what the vocabulary adds.
pub(crate) struct GrantedNames {
    roles: Box<[Box<str>]>,
    permissions: Box<[Box<str>]>,
    pub(super) bits: ReplacedBits,
}

impl LoadedUser {
    pub(crate) fn new<T: Send + Sync + 'static>(user: T, granted: Option<GrantedNames>) -> Self {
        Self { value: Arc::new(user), granted }
    }

    /// The user, if it is of this type.
    pub(crate) fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        Arc::clone(&self.value).downcast().ok()
    }

    pub(super) fn granted(&self) -> Option<&GrantedNames> {
        self.granted.as_ref()
    }
}

impl GrantedNames {
    /// The roles or the permissions. A user has no scopes.
    pub(super) fn names(&self, kind: NameKind) -> &[Box<str>] {
        match kind {
            NameKind::Role => &self.roles,
            NameKind::Permission => &self.permissions,
            NameKind::Scope => &[],
        }
    }

    /// Of the user with this subject. Roles that exclude each other are an error.
    pub(crate) fn new(
        mut roles: Vec<Box<str>>,
        mut permissions: Vec<Box<str>>,
        subject: &str,
        index: &VocabularyIndex,
    ) -> Result<Self, Unidentified> {
        index.expand(&mut roles, &mut permissions);
        if let Some(clash) = index.clash(&roles) {
            return Err(Unidentified(format!("the user {} has {clash}", Excerpt::new(subject)).into()));
        }
        let bits = index.replaced_bits(&roles, &permissions);
        Ok(Self { roles: roles.into(), permissions: permissions.into(), bits })
    }
}

/// Without the user, which is personal data.
impl fmt::Debug for LoadedUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedUser").finish_non_exhaustive()
    }
}
