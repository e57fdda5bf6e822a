//! The API keys of the configuration: a file with a line for each, which is its hash, whose it is, and when it expires, in seconds since
//! 1970. Without that a key does not expire. No key can be read there.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::api_key::{ApiKeyOptions, ApiKeys, NewApiKey};
use auth_runtime::session::BoxError;
use auth_runtime::store::MemoryStore;

const PREFIX: &str = "notes";

/// For how long a new key is valid.
const YEAR: Duration = Duration::from_hours(365 * 24);

/// The program that the first key is for.
const FIRST_OWNER: &str = "nightly-export";

/// The keys of this file. If there is no such file, it is made with one key, which is returned too: nothing has its text later.
pub(crate) fn of_file(file: &Path) -> Result<(ApiKeys, Option<NewApiKey>), BoxError> {
    let (lines, new) = match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let new = NewApiKey::generate(PREFIX)?;
            let line = format!("{}\n", line(&new, FIRST_OWNER)?);
            fs::write(file, &line)?;
            (line, Some(new))
        }
        read => (read?, None),
    };
    let mut keys = ApiKeys::in_header("X-API-Key").prefix(PREFIX).store(MemoryStore::new());
    for line in lines.lines() {
        let (hash, owner, options) = read(line).ok_or(
            "a line of api-keys.txt is a hash, an owner and a number of seconds since 1970, with spaces between them",
        )?;
        keys = keys.static_key(hash, owner, options);
    }
    Ok((keys, new))
}

fn line(key: &NewApiKey, owner: &str) -> Result<String, BoxError> {
    let expires = (SystemTime::now() + YEAR).duration_since(UNIX_EPOCH)?.as_secs();
    Ok(format!("{} {owner} {expires}", key.hash()))
}

fn read(line: &str) -> Option<(&str, &str, ApiKeyOptions)> {
    let (hash, rest) = line.split_once(' ')?;
    let Some((owner, expires)) = rest.split_once(' ') else {
        return Some((hash, rest, ApiKeyOptions::new()));
    };
    let expires = UNIX_EPOCH.checked_add(Duration::from_secs(expires.parse().ok()?))?;
    Some((hash, owner, ApiKeyOptions::new().expires_at(expires)))
}

/// Prints a new key for its owner, and the line for the file.
pub(crate) fn print_new() -> Result<(), BoxError> {
    let key = NewApiKey::generate(PREFIX)?;
    println!("For its owner, once: {}", key.text());
    println!("A line for api-keys.txt, read at the next start: {}", line(&key, "NAME-OF-THE-OWNER")?);
    Ok(())
}
