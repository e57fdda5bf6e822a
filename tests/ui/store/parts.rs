//! `store_contract!`: a part that does not exist, and parts of features that are not turned on.

use auth_runtime::store::MemoryStore;
use auth_runtime::testing::store_contract;

store_contract! { mod unknown: RevocationLog, Sessions; open: MemoryStore::new() }

store_contract! { mod of_features: ApiKeyStore, AttemptStore; open: MemoryStore::new() }

fn main() {}
