//! The promise of many instances on one store: a revocation that was acknowledged is enforced at once by the process that acknowledged it,
//! and by every other for requests that start after `max_staleness`; a process that can't prove that it knows it answers 503.
//!
//! | file | what |
//! |---|---|
//! | `store` | a store that several instances share, each by a connection of its own, and that can be set back |
//! | `world` | instances with clocks and connections that fail |
//! | `random` | random faults, against a model of the promise |
//! | `histories` | a store that was set back |
//! | `versions` | a newer version of the library writes to the same store |
//! | `clocks` | clocks that differ |

mod clocks;
mod histories;
mod random;
mod store;
mod versions;
mod world;
