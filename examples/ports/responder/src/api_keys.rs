//! The API keys of the configuration: a file with a line for each, which is its hash and whose it is. No key can be read there.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use auth_runtime::api_key::{ApiKeyOptions, ApiKeys, NewApiKey};
use auth_runtime::session::BoxError;
use auth_runtime::store::MemoryStore;

const PREFIX: &str = "notes";

/// The program that the first key is for.
const FIRST_OWNER: &str = "nightly-export";

/// The keys of this file. If there is no such file, it is made with one key, which is returned too: nothing has its text later.
pub(crate) fn of_file(file: &Path) -> Result<(ApiKeys, Option<NewApiKey>), BoxError> {
    let (lines, new) = match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let new = NewApiKey::generate(PREFIX)?;
            let line = format!("{} {FIRST_OWNER}\n", new.hash());
            fs::write(file, &line)?;
            (line, Some(new))
        }
        read => (read?, None),
    };
    let mut keys = ApiKeys::in_header("X-API-Key").prefix(PREFIX).store(MemoryStore::new());
    for line in lines.lines() {
        let (hash, owner) =
            line.split_once(' ').ok_or("a line of api-keys.txt is a hash, a space and an owner")?;
        keys = keys.static_key(hash, owner, ApiKeyOptions::new());
    }
    Ok((keys, new))
}

/// Prints a new key for its owner, and the line for the file.
pub(crate) fn print_new() -> Result<(), BoxError> {
    let key = NewApiKey::generate(PREFIX)?;
    println!("For its owner, once: {}", key.text());
    println!("A line for api-keys.txt, read at the next start: {} NAME-OF-THE-OWNER", key.hash());
    Ok(())
}
