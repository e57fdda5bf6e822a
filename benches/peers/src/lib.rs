//! This library and its peers: the same handler behind each, in a form in which the programs can measure them in turns.

pub mod app;
pub mod claims;
pub mod key;
pub mod peers;
pub mod proof;
pub mod tokens;

/// What the tokens say of who issued them, and for whom.
pub const ISSUER: &str = "https://id.example.com/realms/shop";
pub const AUDIENCE: &str = "shop";
