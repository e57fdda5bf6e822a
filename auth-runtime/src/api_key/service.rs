//! Making, listing, rotating and revoking keys.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::ending::{revoke, revoke_all, to_its_end};
use super::error::ApiKeyError;
use super::keys::ApiKeyState;
use super::list::{ApiKey, ApiKeyList};
use super::new_key::NewApiKey;
use super::options::ApiKeyOptions;
use crate::audit::{AuditAction, AuditEvent, AuditLog};
use crate::clock::{LONGEST_LIFETIME, unix_seconds};
use crate::principal::Principal;
use crate::revocation::Revoker;
use crate::store::{ApiKeyRecord, StoreError};
use crate::vocabulary::VocabularyIndex;

/// The number of keys in a list, and of those that are revoked at once.
pub(super) const PAGE: usize = 100;

/// Makes, lists, rotates and revokes API keys. [`Auth::api_keys`](crate::Auth::api_keys) returns it.
///
/// It does not check whether the caller may do so: that is the rule of the route that calls it. For a user that is no
/// administrator, pass the id of that user as the owner, and compare the owner of a key ([`find`](Self::find)) before you rotate or revoke
/// it. Where the engine has several issuers, a subject alone names no user: let the users of one issuer alone manage keys, or make the owner of
/// issuer and subject.
#[derive(Clone)]
pub struct ApiKeyService<'a> {
    keys: &'a Arc<ApiKeyState>,
    revoker: Arc<Revoker>,
    audit_log: &'a AuditLog,
    vocabulary: &'a VocabularyIndex,
    client_address: Option<IpAddr>,
    actor: Option<Arc<str>>,
}

impl<'a> ApiKeyService<'a> {
    pub(crate) fn new(
        keys: &'a Arc<ApiKeyState>,
        revoker: Arc<Revoker>,
        audit_log: &'a AuditLog,
        vocabulary: &'a VocabularyIndex,
    ) -> Self {
        Self { keys, revoker, audit_log, vocabulary, client_address: None, actor: None }
    }

    /// Returns the service for a request of the client with this address, which audit events then have.
    #[must_use]
    pub fn for_client(&self, address: IpAddr) -> Self {
        Self { client_address: Some(address), ..self.clone() }
    }

    /// Returns the service for what this caller asks for: audit events then have it as their
    /// [`actor`](crate::audit::AuditEvent::actor).
    #[must_use]
    pub fn for_caller(&self, caller: &Principal) -> Self {
        Self { actor: Some(caller.subject().into()), ..self.clone() }
    }

    /// Returns the issuer of callers with a key, which no token can have: [`Principal::issuer`], and what
    /// [`Revocations::forget`](crate::revocation::Revocations::forget) takes with the owner of keys whose user has changed.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.keys.issuer
    }

    /// Makes and stores a key. The owner becomes the subject of callers with the key: it must never be given to another user.
    ///
    /// # Errors
    /// [`ApiKeyError::Invalid`]; [`ApiKeyError::Store`]: then a key may be stored whose text was not returned; [`ApiKeyError::Random`];
    /// [`ApiKeyError::AuditHook`].
    pub async fn create(&self, owner: &str, options: ApiKeyOptions) -> Result<NewApiKey, ApiKeyError> {
        let made = self.make(owner, options).await;
        let event = AuditEvent {
            subject: Some(owner),
            api_key_id: made.as_ref().ok().map(|(id, _)| &**id),
            ..AuditEvent::new(AuditAction::ApiKeyCreation)
        };
        match &made {
            Ok(_) => self.report(event)?,
            Err(error) => self.report_failure(event, error)?,
        }
        made.map(|(_, key)| key)
    }

    /// Returns the key with this id, also one that has expired or was revoked within the last 30 days, and none of the configuration:
    /// for example to compare its owner with the caller.
    ///
    /// # Errors
    /// [`ApiKeyError::Store`].
    pub async fn find(&self, id: &str) -> Result<Option<ApiKey>, ApiKeyError> {
        Ok(self.keys.find(id).await?.map(Into::into))
    }

    /// Returns the first 100 keys of an owner, also those that have expired or were revoked within the last 30 days. Keys of the
    /// configuration are not among them.
    ///
    /// # Errors
    /// [`ApiKeyError::Store`].
    pub async fn list(&self, owner: &str) -> Result<ApiKeyList, ApiKeyError> {
        self.list_after(owner, "").await
    }

    /// Returns the next 100 keys of an owner: `after` is [`ApiKeyList::next`] of the list before.
    ///
    /// # Errors
    /// [`ApiKeyError::Store`].
    pub async fn list_after(&self, owner: &str, after: &str) -> Result<ApiKeyList, ApiKeyError> {
        // One more shows whether there are more.
        let mut records = self.page(owner, after, PAGE + 1).await?;
        let has_more = records.len() > PAGE;
        records.truncate(PAGE);
        let next = records.last().filter(|_| has_more).map(|last| last.id.clone());
        Ok(ApiKeyList { keys: records.into_iter().map(Into::into).collect(), next })
    }

    /// Replaces a key by a new one with the same owner, label and rights. The old key expires when `overlap` has passed, or when it would have
    /// expired, if that is earlier. The new one is valid for as long as the old one was made for. A key may be rotated again during the
    /// overlap, for example because the answer with the new one was lost: that adds a further key, and never prolongs the overlap.
    ///
    /// For a user that is no administrator, check what you check for [`create`](Self::create), too: whether it has the rights of the key, and how
    /// many keys it has.
    ///
    /// # Errors
    /// [`ApiKeyError::Invalid`] if the overlap is longer than 100 years; [`ApiKeyError::NotFound`]; [`ApiKeyError::Static`]; [`ApiKeyError::Changed`]: then nothing has happened. [`ApiKeyError::Random`];
    /// [`ApiKeyError::AuditHook`]. [`ApiKeyError::Store`]: then the key may be replaced by one whose text was not returned: look at the list.
    pub async fn rotate(&self, id: &str, overlap: Duration) -> Result<NewApiKey, ApiKeyError> {
        let rotated = match self.active(id).await {
            Ok(former) => self.replace(&former, overlap).await.map(|key| (former.owner, key)),
            Err(error) => Err(error),
        };
        let event = AuditEvent { api_key_id: Some(id), ..AuditEvent::new(AuditAction::ApiKeyRotation) };
        match rotated {
            Ok((owner, key)) => {
                let reason = format!("an API key was replaced by {}", key.id());
                self.report(AuditEvent { subject: Some(&owner), reason: &reason, ..event })?;
                Ok(key)
            }
            Err(error) => {
                self.report_failure(event, &error)?;
                Err(error)
            }
        }
    }

    /// Revokes a key. Returns whether there is one that was not revoked before. If not, the audit hook is not called, and nothing is written,
    /// however often it is asked for; only a process that does not know that the log has the revocation writes it there once. This process refuses it at once, and every other one
    /// that shares the store when it has read the log again: within a second, and within
    /// [`max_staleness`](crate::AuthBuilder::max_staleness) in any case. Sockets and streams of the key end.
    /// What shares the keys and no log forgets it after [`ApiKeys::cache_for`](super::ApiKeys::cache_for).
    ///
    /// # Errors
    /// [`ApiKeyError::Static`]. [`ApiKeyError::Store`]: then it may be valid: call it again. [`ApiKeyError::AuditHook`].
    pub async fn revoke(&self, id: &str) -> Result<bool, ApiKeyError> {
        let event = AuditEvent { api_key_id: Some(id), ..AuditEvent::new(AuditAction::ApiKeyRevocation) };
        let (keys, revoker) = (Arc::clone(self.keys), Arc::clone(&self.revoker));
        let owned = id.to_owned();
        let revoked = match self.check_not_static(id) {
            Ok(()) => to_its_end(async move { revoke(&keys, &revoker, &owned).await }).await,
            Err(error) => Err(error),
        };
        match revoked {
            Ok(Some(owner)) => {
                self.report(AuditEvent { subject: Some(&owner), ..event })?;
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(error) => {
                self.report_failure(event, &error)?;
                Err(error)
            }
        }
    }

    /// Revokes all keys of an owner, but those of the configuration. Returns how many were not revoked before: with 0 nothing has
    /// changed. A key that is made at the same time may stay valid.
    ///
    /// # Errors
    /// [`ApiKeyError::Store`]: then some may not be revoked. Call it again. [`ApiKeyError::AuditHook`].
    pub async fn revoke_all(&self, owner: &str) -> Result<usize, ApiKeyError> {
        let (keys, revoker) = (Arc::clone(self.keys), Arc::clone(&self.revoker));
        let owned = owner.to_owned();
        let (revoked, outcome) = to_its_end(async move { Ok(revoke_all(&keys, &revoker, &owned).await) })
            .await
            .unwrap_or_else(|error| (Vec::new(), Err(error)));
        let event = AuditEvent { subject: Some(owner), ..AuditEvent::new(AuditAction::ApiKeyRevocation) };
        let mut reported = Ok(());
        for id in &revoked {
            let reason = "an API key was revoked: all keys of its owner are";
            reported = reported.and(self.report(AuditEvent { api_key_id: Some(id), reason, ..event }));
        }
        if let Err(error) = outcome {
            self.report_failure(event, &error)?;
            return Err(error);
        }
        reported.map(|()| revoked.len())
    }

    /// Writes when keys were last used, which otherwise happens once a minute: for the end of a process. If the store fails, the
    /// log says so.
    pub async fn record_last_uses(&self) {
        self.keys.write_uses().await;
    }

    async fn make(&self, owner: &str, options: ApiKeyOptions) -> Result<(String, NewApiKey), ApiKeyError> {
        self.now()?;
        let now = self.keys.clock.now();
        let record = options.into_record(owner, now, self.vocabulary).map_err(ApiKeyError::Invalid)?;
        if record.expires_at.is_some_and(|expires_at| expires_at <= unix_seconds(now)) {
            let why = "it would have expired already: pass a later time";
            return Err(ApiKeyError::Invalid(why.to_owned()));
        }
        let (key, record) = self.draw(record)?;
        self.keys.store.insert(record).await?;
        Ok((key.id().to_owned(), key))
    }

    /// Now, in seconds since the epoch.
    fn now(&self) -> Result<i64, ApiKeyError> {
        match unix_seconds(self.keys.clock.now()) {
            i64::MAX => Err(StoreError::new("the clock shows a time before 1970: set it").into()),
            now => Ok(now),
        }
    }

    /// A new key, and its row: the rest of it is that of `record`.
    fn draw(&self, record: ApiKeyRecord) -> Result<(NewApiKey, ApiKeyRecord), ApiKeyError> {
        let key = NewApiKey::draw(&self.keys.format)?;
        let (id, prefix) = (key.id().to_owned(), self.keys.format.prefix().to_owned());
        let record = ApiKeyRecord { id, prefix, hash: key.hash_bytes(), ..record };
        Ok((key, record))
    }

    async fn replace(&self, former: &ApiKeyRecord, overlap: Duration) -> Result<NewApiKey, ApiKeyError> {
        let now = self.now()?;
        if overlap > LONGEST_LIFETIME {
            let why = "the overlap with the former key is longer than 100 years: pass a shorter one";
            return Err(ApiKeyError::Invalid(why.to_owned()));
        }
        let ends_at = now.saturating_add(i64::try_from(overlap.as_secs()).unwrap_or(i64::MAX));
        let ends_at = former.valid_until().map_or(ends_at, |former_end| former_end.min(ends_at));
        let lifetime = former.expires_at.map(|expires_at| expires_at.saturating_sub(former.created_at));
        let (key, next) = self.draw(ApiKeyRecord {
            created_at: now,
            expires_at: lifetime.map(|lifetime| now.saturating_add(lifetime)),
            overlap_ends_at: None,
            last_used_at: None,
            version: 1,
            ..former.clone()
        })?;
        let (keys, revoker, former) = (Arc::clone(self.keys), Arc::clone(&self.revoker), former.clone());
        to_its_end(async move {
            let rotated = keys.store.rotate(&former.id, former.version, ends_at, next).await;
            if matches!(rotated, Ok(false)) {
                return Err(ApiKeyError::Changed);
            }
            // Caches have the time at which it expired before. Also if the store failed: the row may have changed.
            let forgotten = revoker.forget(keys.issuer.clone(), former.owner).await;
            rotated?;
            Ok(forgotten?)
        })
        .await?;
        Ok(key)
    }

    /// The row of a key that is valid.
    async fn active(&self, id: &str) -> Result<ApiKeyRecord, ApiKeyError> {
        self.check_not_static(id)?;
        let key = self.keys.find(id).await?.ok_or(ApiKeyError::NotFound)?;
        self.keys.check_valid(&key).map_err(|_| ApiKeyError::NotFound)?;
        Ok(key)
    }

    fn check_not_static(&self, id: &str) -> Result<(), ApiKeyError> {
        if self.keys.static_keys.contains_key(id) { Err(ApiKeyError::Static) } else { Ok(()) }
    }

    async fn page(&self, owner: &str, after: &str, limit: usize) -> Result<Vec<ApiKeyRecord>, StoreError> {
        self.keys.store.find_by_owner(self.keys.format.prefix(), owner, after, limit).await
    }

    fn report(&self, event: AuditEvent<'_>) -> Result<(), ApiKeyError> {
        let event = AuditEvent {
            issuer: Some(&self.keys.issuer),
            client_address: self.client_address,
            actor: self.actor.as_deref(),
            ..event
        };
        let reported = self.audit_log.report(&event);
        reported.map_err(|panic| ApiKeyError::AuditHook(panic.to_string()))
    }

    fn report_failure(&self, event: AuditEvent<'_>, error: &ApiKeyError) -> Result<(), ApiKeyError> {
        self.report(event.failed(error.rejection_kind(), &error.to_string()))
    }
}

impl fmt::Debug for ApiKeyService<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeyService").field("keys", &self.keys).finish_non_exhaustive()
    }
}
