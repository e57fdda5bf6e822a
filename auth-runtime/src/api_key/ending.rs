//! Revoking keys: first the row, then what is remembered of the key.
//!
//! The entry in the log evicts the key from all caches and wakes its sockets. A key that was revoked needs no further one, so that its owner
//! can't make the log grow by asking again. Only a process that does not know that the log has it adds one more: the write may have failed,
//! or the process that revoked the key may have ended before it.

use std::sync::Arc;

use futures_util::future::join_all;
use tokio::runtime::Handle;

use super::error::ApiKeyError;
use super::keys::ApiKeyState;
use super::service::PAGE;
use crate::clock::unix_seconds;
use crate::revocation::Revoker;
use crate::store::StoreError;

/// Revokes a key. Returns its owner, if it was not revoked before.
pub(super) async fn revoke(
    keys: &ApiKeyState,
    revoker: &Arc<Revoker>,
    id: &str,
) -> Result<Option<String>, ApiKeyError> {
    let Some(key) = keys.find(id).await? else { return Ok(None) };
    if keys.has_logged_end_of(&key) {
        return Ok(None);
    }
    let revoked = keys.store.revoke(id, unix_seconds(keys.clock.now())).await;
    // Also if the store failed: the row may have changed.
    let forgotten = revoker.forget(keys.issuer.clone(), key.owner.clone()).await;
    let is_new = revoked?;
    forgotten?;
    keys.note_logged_end(id);
    Ok(is_new.then_some(key.owner))
}

/// Revokes the keys of an owner. Returns the ids of those that were not revoked before, also if not all could be.
pub(super) async fn revoke_all(
    keys: &ApiKeyState,
    revoker: &Arc<Revoker>,
    owner: &str,
) -> (Vec<String>, Result<(), ApiKeyError>) {
    let mut ended = Ended::default();
    let rows = revoke_rows(keys, owner, &mut ended).await;
    if rows.is_ok() && ended.all.is_empty() {
        return (Vec::new(), Ok(()));
    }
    let forgotten = revoker.forget(keys.issuer.clone(), owner.to_owned()).await;
    if forgotten.is_ok() {
        ended.all.iter().for_each(|id| keys.note_logged_end(id));
    }
    (ended.new, rows.and(forgotten).map_err(Into::into))
}

/// Ids of revoked keys.
#[derive(Default)]
struct Ended {
    /// Those of which this process does not know that the log has them.
    all: Vec<String>,
    /// Of these, those that were not revoked before.
    new: Vec<String>,
}

async fn revoke_rows(keys: &ApiKeyState, owner: &str, ended: &mut Ended) -> Result<(), StoreError> {
    let now = unix_seconds(keys.clock.now());
    let mut after = String::new();
    loop {
        let page = keys.store.find_by_owner(keys.format.prefix(), owner, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.id);
        // At once, so that they share a commit.
        let unlogged = page.iter().filter(|key| !keys.has_logged_end_of(key));
        let answers = unlogged.map(|key| async {
            let is_new = match key.revoked_at {
                Some(_) => Ok(false),
                None => keys.store.revoke(&key.id, now).await,
            };
            (key.id.clone(), is_new)
        });
        let mut outcome = Ok(());
        for (id, is_new) in join_all(answers).await {
            match is_new {
                Ok(is_new) => {
                    ended.new.extend(is_new.then(|| id.clone()));
                    ended.all.push(id);
                }
                Err(error) => outcome = Err(error),
            }
        }
        outcome?;
    }
}

/// Also if the caller no longer waits for it: one that closes its connection has asked all the same.
pub(super) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, ApiKeyError>> + Send + 'static,
) -> Result<T, ApiKeyError> {
    match Handle::try_current() {
        Ok(runtime) => runtime.spawn(work).await.unwrap_or_else(|error| {
            let reason = format!("a revocation of API keys did not finish: {error}");
            Err(StoreError::new(reason).with_source(error).into())
        }),
        Err(_) => work.await,
    }
}
