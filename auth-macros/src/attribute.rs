//! The arguments of the macros: tokens → [`Arguments`](crate::rule::Arguments).
//!
//! An error within one argument is reported here, and parsing goes on after the next comma.

mod arguments;
mod claims;
mod keywords;
mod level;
mod requirement;
mod value;

pub(crate) use self::arguments::{parse, parse_root_only};
pub(crate) use self::keywords::Place;
