//! The principal: the caller of a request, as its verified token describes it.

mod ended;
mod loaded_user;
mod rights;
mod token_identity;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use self::ended::{CredentialWatch, EndedFuture, WatchedBy};
pub use self::ended::{EndReason, Ended};
pub(crate) use self::loaded_user::{GrantedNames, LoadedUser};
pub(crate) use self::token_identity::TokenIdentity;
use crate::verify::{
    Asked, Excerpt, Json, NameList, Names, Span, TokenClaims, VerifiedToken, scheme_of_issuer,
};
use crate::vocabulary::{Bits, Name, NameKind, VocabularyIndex};

/// The scheme of tokens of issuers. No authenticator can have this name.
pub(crate) const TOKENS: &str = "jwt";

/// The caller of a request: who it is, and what it may do.
///
/// Only the request pipeline makes one, after it has verified the token, so a handler that has a `Principal` was called
/// with a valid token. It is an extractor: `user: Principal`, or `user: Option<Principal>` with `#[auth(optional)]`. A
/// clone copies two `Arc`s at most, and none of the claims that were asked for.
#[derive(Clone)]
pub struct Principal {
    inner: Arc<Inner>,
    /// What the engine's `UserStore` loaded for this request.
    user: Option<Arc<LoadedUser>>,
    /// The claims that were asked for as values.
    asked: Asked,
}

struct Inner {
    token: VerifiedToken,
    subject: Span,
    /// Those of the token.
    names: Names,
    /// The roles and permissions that the vocabulary adds.
    brought: Box<[(NameKind, &'static str)]>,
    /// The roles, scopes and permissions that the engine's vocabulary declares.
    bits: Bits,
    /// The engine that made it; `None` for one that a test made without an engine.
    watch: Option<WatchedBy>,
    /// The epoch of the engine's view of revocations before the token was last found not revoked, where the token is remembered; otherwise
    /// [`NEVER`].
    not_revoked_at: AtomicU64,
}

/// No epoch.
const NEVER: u64 = u64::MAX;

impl Inner {
    /// The names of a kind that the vocabulary adds.
    fn brought(&self, kind: NameKind) -> impl Iterator<Item = &str> {
        self.brought.iter().filter(move |(of, _)| *of == kind).map(|(_, name)| *name)
    }
}

/// A verified token has no valid subject, or roles, scopes or permissions of a wrong type, or roles that exclude each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unidentified(pub(crate) Cow<'static, str>);

impl Principal {
    /// Makes the principal of a verified token. Declared roles add the roles that they imply and the permissions that they are
    /// granted. Roles that exclude each other are an error. `watch` is the engine, which knows when the token ends.
    pub(crate) fn identify(
        token: VerifiedToken,
        index: &VocabularyIndex,
        watch: Option<WatchedBy>,
    ) -> Result<Self, Unidentified> {
        const NO_SUBJECT: &str = "the token's subject is missing or empty, or neither a string nor an integer: for a token that a client got for itself, call \
             `TrustedIssuer::accept_client_as_subject()`";
        let subject = token.subject_span().ok_or(Unidentified(NO_SUBJECT.into()))?;
        let names = token.held_names().map_err(|problem| Unidentified(problem.into()))?;
        let claims = token.claims();
        let of_kind = |kind: NameKind| move |name| (kind, name);
        let roles = names.of(NameList::Roles, claims).map(of_kind(NameKind::Role));
        let scopes = names.of(NameList::Scopes, claims).map(of_kind(NameKind::Scope));
        let permissions = names.of(NameList::Permissions, claims).map(of_kind(NameKind::Permission));
        let mut bits = index.bits(roles.chain(scopes).chain(permissions));
        let brought = index.bring(names.of(NameList::Roles, claims), &mut bits);
        if let Some(clash) = index.clash_of(&bits) {
            let subject = Excerpt::new(claims.text_at(subject));
            return Err(Unidentified(format!("the token of {subject} has {clash}").into()));
        }
        let not_revoked_at = AtomicU64::new(NEVER);
        let inner = Inner { subject, names, brought, bits, token, watch, not_revoked_at };
        Ok(Self { inner: Arc::new(inner), user: None, asked: Asked::default() })
    }

    /// The same caller with its user, whose roles and permissions are in place of the token's, if it has any of its own.
    pub(crate) fn with_user(self, user: Arc<LoadedUser>) -> Self {
        Self { user: Some(user), ..self }
    }

    /// What the engine's `UserStore` loaded for the request.
    pub(crate) fn user(&self) -> Option<&Arc<LoadedUser>> {
        self.user.as_ref()
    }

    fn token_claims(&self) -> &TokenClaims {
        self.inner.token.claims()
    }

    /// Returns the user, client or device that the token is about: the claim `sub`, or the one that the issuer's mapping names.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.token_claims().text_at(self.inner.subject)
    }

    /// Returns the scheme of the credential: the name of the [authenticator](mod@crate::authenticator) that judged it, or `jwt` for a token
    /// of an issuer, also for an opaque one.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.issuer().and_then(scheme_of_issuer).unwrap_or(TOKENS)
    }

    /// Returns the issuer of the token: `iss`. The callers of an [authenticator](mod@crate::authenticator) have an issuer of their own, which
    /// no token can claim, so the same subject of two issuers is two subjects. It can be missing with
    /// [`dangerously_accept_any_issuer`](crate::verify::TrustedIssuer::dangerously_accept_any_issuer), and is with
    /// [`dangerously_expect_no_issuer`](crate::verify::TrustedIssuer::dangerously_expect_no_issuer).
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.token_claims().issuer()
    }

    /// Returns the id of the token: `jti`.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.token_claims().token_id()
    }

    /// Returns the id of the session that the token belongs to: `sid`.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.token_claims().session_id()
    }

    /// Returns when the token expires: `exp`.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.token_claims().expires_at.and_then(system_time)
    }

    /// Returns when the token was issued: `iat`.
    #[must_use]
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.token_claims().issued_at.and_then(system_time)
    }

    /// Returns when the user last logged in: `auth_time`.
    #[must_use]
    pub fn auth_time(&self) -> Option<SystemTime> {
        self.token_claims().auth_time.and_then(system_time)
    }

    /// Returns how the user logged in: the authentication context class `acr`.
    #[must_use]
    pub fn acr(&self) -> Option<&str> {
        self.token_claims().acr()
    }

    /// Returns the methods that the user logged in with: the authentication method references `amr` (RFC 8176), such as
    /// `pwd`, `otp`, `hwk`.
    ///
    /// The claim is a list of strings; a string alone counts as a list of one.
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        self.token_claims().amr()
    }

    /// Returns the roles, with the roles that they imply: those of the token, or of the user if a
    /// [`UserStore`](crate::users::UserStore) says which it has; of an API key, and of a credential with
    /// [`restrict_grants`](crate::authenticator::Authenticated::restrict_grants), those that both have.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.held(NameKind::Role)
    }

    /// Returns the scopes.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.inner.names.of(NameList::Scopes, self.token_claims())
    }

    /// Returns the permissions, with those that the roles are granted: those of the token, or of the user as for
    /// [`roles`](Self::roles).
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        self.held(NameKind::Permission)
    }

    /// Returns whether the caller has this role, directly or implied by another role.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.holds(NameKind::Role, role)
    }

    /// Returns whether the token has this scope.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.inner.names.has(NameList::Scopes, scope, self.token_claims())
    }

    /// Returns whether the caller has this permission, directly or granted to one of its roles.
    #[must_use]
    pub fn has_permission(&self, permission: &str) -> bool {
        self.holds(NameKind::Permission, permission)
    }

    /// Returns whether the caller has a role, scope or permission of an enum that [`vocabulary!`](crate::vocabulary!) made:
    /// `user.has(Role::Admin)`.
    #[must_use]
    pub fn has<N: Name>(&self, name: N) -> bool {
        match N::KIND {
            NameKind::Role => self.has_role(name.name()),
            NameKind::Scope => self.has_scope(name.name()),
            NameKind::Permission => self.has_permission(name.name()),
        }
    }

    /// Returns the claim of this top-level name. Dots are a part of the name. It is converted when it is first asked for, and kept with this
    /// principal alone: a clone converts it again.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.asked.get(name, || self.find_claim(name).map(Json::to_value))
    }

    /// The claim of this top-level name, as it is in the token.
    pub(crate) fn find_claim(&self, name: &str) -> Option<Json<'_>> {
        self.token_claims().find(name)
    }

    /// Deserializes all claims as a type of yours. [`Claims<T>`](crate::Claims) does the same as an extractor.
    ///
    /// A number is the first of `u64`, `i64` and `f64` that holds it, as in [`claim`](Self::claim); in a field of type `u128` or `i128` a larger
    /// integer is exact. An enum is a string, or an object with one member.
    ///
    /// # Errors
    /// If the claims do not fit the type. The text of the error can contain the value of a claim, which may be personal data.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        self.token_claims().deserialize()
    }

    /// Returns a future that completes when the credential no longer counts, with the reason: for sockets and streams, which outlive the
    /// decision on their request.
    ///
    /// | reason | when |
    /// |---|---|
    /// | [`EndReason::Expired`] | the token has expired, after the leeway |
    /// | [`EndReason::Revoked`] | the token, its session, its user or its issuer was revoked: logout, logout everywhere, logout of everybody, [`Revocations`](crate::revocation::Revocations) |
    /// | [`EndReason::Revoked`] | the API key was revoked, or the subject of a caller of another authenticator was [forgotten](crate::revocation::Revocations::forget) |
    /// | [`EndReason::UserInactive`] | its user is not found or inactive, once its subject was forgotten |
    /// | [`EndReason::KeyWithdrawn`] | the key that verified the token was removed |
    /// | [`EndReason::Unavailable`] | the view of revocations is older than [`max_staleness`](crate::AuthBuilder::max_staleness) |
    ///
    /// What this process revokes is seen at once, and what another instance revokes when the store's log is read, every second. A clock
    /// that is set is noticed within seconds. [`Ended::while_session_lasts`] prolongs it by refreshes of the session.
    ///
    /// The future must be polled on a tokio runtime with a timer. It has no task of its own, and keeps the engine alive. It never
    /// completes for a principal that no engine made, such as that of `TestUser::principal`.
    ///
    /// [`until_ended`](crate::streams::UntilEnded::until_ended) ends a stream with it.
    pub fn ended(&self) -> Ended {
        Ended::of(self.clone())
    }

    pub(crate) fn watch(&self) -> Option<&WatchedBy> {
        self.inner.watch.as_ref()
    }

    pub(crate) fn auth_time_seconds(&self) -> Option<i64> {
        self.token_claims().auth_time
    }

    pub(crate) fn token(&self) -> &VerifiedToken {
        &self.inner.token
    }

    /// The epoch of the view of revocations before the token was last found not revoked, for as long as it is remembered.
    pub(crate) fn not_revoked_at(&self) -> Option<u64> {
        Some(self.inner.not_revoked_at.load(Ordering::Acquire)).filter(|epoch| *epoch != NEVER)
    }

    /// The token was not revoked, by a view whose epoch was this before it was asked.
    pub(crate) fn set_not_revoked_at(&self, epoch: u64) {
        self.inner.not_revoked_at.store(epoch, Ordering::Release);
    }

    /// The bytes that it takes behind its own, without what all tokens of an issuer share.
    pub(crate) fn heap_bytes(&self) -> usize {
        let Inner { token, names, brought, bits, .. } = &*self.inner;
        // With the two counters of the `Arc`.
        let inner = size_of::<Inner>() + 2 * size_of::<usize>();
        inner + token.claims().heap_bytes() + names.heap_bytes() + size_of_val(&**brought) + bits.heap_bytes()
    }

    /// What it is remembered by. The issuer is empty if the token has none.
    pub(crate) fn issuer_and_subject(&self) -> (&str, &str) {
        let TokenIdentity { issuer, subject, .. } = self.token_identity();
        (issuer, subject)
    }

    pub(crate) fn token_identity(&self) -> TokenIdentity<'_> {
        TokenIdentity::of(&self.inner.token, self.subject())
    }
}

/// Prints the subject, issuer, roles, scopes and permissions. Other claims may be personal data.
impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("subject", &self.subject())
            .field("issuer", &self.issuer())
            .field("roles", &self.roles().collect::<Vec<_>>())
            .field("scopes", &self.scopes().collect::<Vec<_>>())
            .field("permissions", &self.permissions().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

fn system_time(seconds: i64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}
