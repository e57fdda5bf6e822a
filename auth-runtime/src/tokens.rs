//! Making tokens.

mod id;
mod signing;

pub use self::id::random_id;
pub use self::signing::{SignError, SigningKey};
