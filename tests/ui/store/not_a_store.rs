//! What is no store, where one is expected.

use auth_runtime::Auth;
use auth_runtime::store::{RefreshTokenStore, RevocationLog};

#[derive(Debug)]
struct OwnStore;

fn takes_log(_: impl RevocationLog) {}

fn takes_families(_: impl RefreshTokenStore) {}

fn main() {
    takes_log(OwnStore);
    takes_families(OwnStore);
    let _ = Auth::builder().store(OwnStore);
}
