//! The vocabulary: the names that rules may use, as `auth.toml` declares it and [`vocabulary!`](crate::vocabulary!)
//! compiles it in: roles and what they imply, scopes, permissions and the roles that are granted them, sources.
//!
//! An engine that is given one ([`AuthBuilder::vocabulary`](crate::AuthBuilder::vocabulary)) enforces it: roles are
//! expanded, permissions granted, a token with two roles that exclude each other is rejected, and a rule with a name that
//! is not declared is an error of `finish`.

mod declared;
mod index;
mod name;

pub use self::declared::{
    DeclaredPermission, DeclaredRole, DeclaredScope, DeclaredSource, DeclaredSourceKind, Vocabulary,
};
pub(crate) use self::index::{Bits, BitsOf, Mask, ReplacedBits, VocabularyIndex};
pub use self::name::{Name, NameKind, ParseNameError};
#[doc(hidden)]
pub use self::name::{deserialize_name, parse_name};
