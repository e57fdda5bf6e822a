//! The vocabulary: what `auth.toml` declares.

mod declarations;
mod file;
mod model;
mod parse;
mod read;
mod resolve;
mod sources;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use self::declarations::key_text;
pub(crate) use self::file::{Loaded, load};
pub(crate) use self::model::{SourceKind, Vocabulary};
