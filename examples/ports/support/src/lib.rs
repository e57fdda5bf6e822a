//! What every port needs and none of the documents is about. Nothing here decides who may do what: that is in the files of each port.
//!
//! | item | purpose |
//! |---|---|
//! | [`Options`] | the options of the command line, and the folder of the service's data |
//! | [`secret`], [`kept`] | secrets in files that only their owner may read |
//! | [`open`], [`seed`], [`DatabaseError`] | a SQLite file with its tables and first rows, and a failure of it as an answer |
//! | [`log_to_stderr`], [`listen`], [`serve`] | the server |
//! | [`Lines`] | lines for a second terminal |
//! | `testing` (feature `testing`) | a running service for the tests of a port |

mod database;
mod lines;
mod options;
mod secrets;
mod server;
#[cfg(feature = "testing")]
pub mod testing;

pub use self::database::{DatabaseError, open, seed};
pub use self::lines::Lines;
pub use self::options::Options;
pub use self::secrets::{kept, secret};
pub use self::server::{listen, log_to_stderr, serve};
