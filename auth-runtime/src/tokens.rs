//! Making tokens.

mod signing;

pub use self::signing::{SignError, SigningKey};
