//! Audit events: one for each decision on a request, and one for each thing that happens to a session or an API key.
//! [`AuthBuilder::audit`](crate::AuthBuilder::audit) sets the hook.

use std::fmt;
use std::net::IpAddr;

use axum::http::Method;

use crate::catch_panic::{Panic, catch_panic};
use crate::principal::Principal;
use crate::rejection::RejectionKind;

/// Something that happened, or that was asked for and rejected: see [`AuditAction`].
///
/// It contains no token, cookie, password or key. It does not contain the account name of a failed login, because users type
/// their password into the wrong field: a [`subject`](Self::subject) is in it only where a credential was verified, or where the
/// application named it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AuditEvent<'a> {
    /// What happened, or was asked for.
    pub action: AuditAction,
    /// The caller of a [`Request`](AuditAction::Request), where that is known: also of a rejected caller whose token was valid.
    /// `None` for all other actions.
    pub principal: Option<&'a Principal>,
    /// The issuer of the subject and of the session: `iss` of their tokens. For a [`ProviderLogout`](AuditAction::ProviderLogout) that is
    /// rejected, who has signed it, if its signature was verified.
    pub issuer: Option<&'a str>,
    /// The user whom it is about, where that is known: `sub`. For a request, the caller.
    pub subject: Option<&'a str>,
    /// The caller of a token route that asked for it, where there is one: `sub`. It may be an administrator, and
    /// [`subject`](Self::subject) the user whose session was ended. `None` for a [`Request`](AuditAction::Request), whose caller is
    /// the [`principal`](Self::principal).
    pub actor: Option<&'a str>,
    /// The session that it is about, where that is known: `sid`.
    pub session_id: Option<&'a str>,
    /// The API key that it is about: its id, which is a part of the key's text and no secret. For a request with a key it is
    /// [`Principal::token_id`].
    pub api_key_id: Option<&'a str>,
    /// The address of the client, with [trusted proxies](crate::AuthBuilder::trusted_proxies) applied. `None` if the app is not
    /// served with `into_make_service_with_connect_info::<SocketAddr>()`, and for what is not asked for by a request. A
    /// handler that calls a [`TokenService`](crate::session::TokenService) names the address by
    /// [`for_client`](crate::session::TokenService::for_client).
    pub client_address: Option<IpAddr>,
    /// The method of the request; `None` for actions other than [`Request`](AuditAction::Request).
    pub method: Option<&'a Method>,
    /// The route of the request, with its parameters' names: `/articles/{id}`. Empty where no route is known.
    pub route: &'a str,
    /// The handler of the request: `my_service::articles::publish`.
    pub handler: &'a str,
    /// Why it was rejected or failed; `None` if the handler was called, or if it happened.
    pub rejection: Option<RejectionKind>,
    /// The reason, as a text for logs. A caller never receives it.
    pub reason: &'a str,
    /// Whether everyone can cause it, with a credential that is made up: then it is no error of the service.
    pub(crate) is_provoked: bool,
    /// Whether data of the caller's are the cause, which is a warning.
    pub(crate) is_of_data: bool,
}

/// What an [`AuditEvent`] is about. Each is also reported when it fails: then [`AuditEvent::rejection`] says why.
///
/// A thing is reported once. In particular, a logout with several tokens of one session is one event, and what changes nothing
/// is none: a logout without a token, or of a session that this instance knows to have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuditAction {
    /// A request was decided, on a route that is not public. If the application rejects it after that, or on a public route, by
    /// a [`Rejection`](crate::rejection::Rejection), this is reported too.
    Request,
    /// A user logged in. A rejected one: the credentials were wrong ([`RejectionKind::InvalidGrant`]), or they were not verified.
    Login,
    /// A refresh token was exchanged for the next tokens, by a refresh or by a transparent renewal. A rejected one: the token is
    /// invalid. Where [`SubjectStore`](crate::session::SubjectStore) no longer knows the user, the session has ended with it.
    Refresh,
    /// A refresh token that was used before was sent again within the grace period, and its successor was issued again. It is a
    /// lost answer, two tabs of a browser, or a thief: compare the addresses.
    RefreshRepeat,
    /// A refresh token that was used before was sent again: it or its successor was stolen, and its session has ended.
    RefreshTokenReuse,
    /// A user ended a session.
    Logout,
    /// All sessions of a user were ended; by [`Revocations`](crate::revocation::Revocations) also those alone that began by a time.
    LogoutEverywhere,
    /// All sessions of all users of an issuer were ended, or all tokens of an issuer were revoked
    /// ([`log_out_all_users`](crate::session::TokenService::log_out_all_users),
    /// [`Revocation::Issuer`](crate::revocation::Revocation::Issuer)). [`AuditEvent::issuer`] says of which.
    LogoutAllUsers,
    /// A session was ended for another reason, which [`AuditEvent::reason`] says: by the application or an administrator, because its
    /// user has too many, because its browser has logged in again, or because its tokens could not be sent.
    SessionEnd,
    /// An identity provider, or a transmitter of security events, ended a session, a token, or all that a user had
    /// (`provider_logout`). [`AuditEvent::session_id`] and [`AuditEvent::subject`] say what, as far as it was named, and
    /// [`AuditEvent::reason`] by what. A rejected one: what was sent is invalid, or can't be applied here.
    ProviderLogout,
    /// A token was revoked (RFC 7009); if it is a refresh token, its session has ended.
    TokenRevocation,
    /// An API key was made. [`AuditEvent::subject`] is its owner, in this event and the next two.
    ApiKeyCreation,
    /// An API key was replaced by a new one, and ends when the overlap has passed.
    ApiKeyRotation,
    /// An API key was revoked.
    ApiKeyRevocation,
}

impl AuditAction {
    /// Returns the name of the action in snake case, such as `refresh_token_reuse`: for logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Login => "login",
            Self::Refresh => "refresh",
            Self::RefreshRepeat => "refresh_repeat",
            Self::RefreshTokenReuse => "refresh_token_reuse",
            Self::Logout => "logout",
            Self::LogoutEverywhere => "logout_everywhere",
            Self::LogoutAllUsers => "logout_all_users",
            Self::SessionEnd => "session_end",
            Self::ProviderLogout => "provider_logout",
            Self::TokenRevocation => "token_revocation",
            Self::ApiKeyCreation => "api_key_creation",
            Self::ApiKeyRotation => "api_key_rotation",
            Self::ApiKeyRevocation => "api_key_revocation",
        }
    }

    /// What happened, as a text for logs.
    fn happened(self) -> &'static str {
        match self {
            Self::Request => "the rule is satisfied",
            Self::Login => "a user logged in",
            Self::Refresh => "tokens were refreshed",
            Self::RefreshRepeat => "a used refresh token was sent again, and its successor was issued again",
            Self::RefreshTokenReuse => "a used refresh token was sent again, and its session was ended",
            Self::Logout => "a user logged out",
            Self::LogoutEverywhere => "a user was logged out everywhere",
            Self::LogoutAllUsers => "all users of an issuer were logged out",
            Self::SessionEnd => "a session was ended",
            Self::ProviderLogout => "a provider ended a session, or all that a user had",
            Self::TokenRevocation => "a token was revoked",
            Self::ApiKeyCreation => "an API key was made",
            Self::ApiKeyRotation => "an API key was replaced by a new one",
            Self::ApiKeyRevocation => "an API key was revoked",
        }
    }
}

impl<'a> AuditEvent<'a> {
    /// Something that happened, of which nothing else is known.
    pub(crate) fn new(action: AuditAction) -> Self {
        Self {
            action,
            principal: None,
            issuer: None,
            subject: None,
            actor: None,
            session_id: None,
            api_key_id: None,
            client_address: None,
            method: None,
            route: "",
            handler: "",
            rejection: None,
            reason: action.happened(),
            is_provoked: false,
            is_of_data: false,
        }
    }

    /// It is of this caller.
    pub(crate) fn of(self, caller: Option<&'a Principal>) -> Self {
        Self {
            principal: caller,
            issuer: caller.and_then(Principal::issuer),
            subject: caller.map(Principal::subject),
            session_id: caller.and_then(Principal::session_id),
            ..self
        }
    }

    /// It failed.
    pub(crate) fn failed(self, rejection: RejectionKind, reason: &'a str) -> Self {
        Self { rejection: Some(rejection), reason, ..self }
    }
}

/// The application's hook.
pub(crate) type AuditHook = dyn Fn(&AuditEvent<'_>) + Send + Sync;

/// Where events are reported: to tracing, and to the application's hook.
pub(crate) struct AuditLog {
    hook: Option<Box<AuditHook>>,
}

impl AuditLog {
    pub(crate) fn new(hook: Option<Box<AuditHook>>) -> Self {
        Self { hook }
    }

    /// Whether there is a hook.
    pub(crate) fn has_hook(&self) -> bool {
        self.hook.is_some()
    }

    /// One tracing event, and one call of the hook.
    ///
    /// # Errors
    /// If the hook panics.
    pub(crate) fn report(&self, event: &AuditEvent<'_>) -> Result<(), Panic> {
        match event.action {
            AuditAction::Request => trace_request(event),
            _ => trace_session(event),
        }
        self.call_hook(event)
    }

    /// One call of the hook, for what tracing knows already.
    ///
    /// # Errors
    /// If the hook panics.
    pub(crate) fn call_hook(&self, event: &AuditEvent<'_>) -> Result<(), Panic> {
        let Some(hook) = &self.hook else { return Ok(()) };
        catch_panic(|| hook(event)).inspect_err(|panic| {
            let AuditEvent { route, handler, subject, session_id, .. } = *event;
            let (action, method) = (event.action.as_str(), event.method.map(Method::as_str));
            tracing::error!(
                action, method, route, handler, subject, session_id, %panic, "auth: the answer is 500, because the audit hook panicked"
            );
        })
    }
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog").field("has_hook", &self.has_hook()).finish_non_exhaustive()
    }
}

/// The tracing event of a request that is let in: all that there is of it where there is no hook.
pub(crate) fn trace_allowed(method: Option<&str>, route: &str, handler: &str, subject: Option<&str>) {
    let reason = AuditAction::Request.happened();
    tracing::debug!(method, route, handler, subject, reason, "auth: allowed");
}

fn trace_request(event: &AuditEvent<'_>) {
    let AuditEvent { subject, route, handler, reason, .. } = *event;
    let method = event.method.map(Method::as_str);
    let Some(kind) = event.rejection else {
        trace_allowed(method, route, handler, subject);
        return;
    };
    let (status, code) = (kind.status().as_u16(), kind.code());
    if event.is_of_data {
        tracing::warn!(method, route, handler, subject, status, code, reason, "auth: rejected");
    } else if kind.status().is_server_error() && !event.is_provoked {
        tracing::error!(method, route, handler, subject, status, code, reason, "auth: rejected");
    } else {
        tracing::info!(method, route, handler, subject, status, code, reason, "auth: rejected");
    }
}

fn trace_session(event: &AuditEvent<'_>) {
    let AuditEvent { subject, actor, session_id, api_key_id, reason, .. } = *event;
    let action = event.action.as_str();
    let client_address = event.client_address.map(tracing::field::display);
    // The reason is a field, because it may contain text of others: what writes the log escapes it.
    macro_rules! line {
        ($level:ident, $($message:tt)*) => {
            tracing::$level!(action, subject, actor, session_id, api_key_id, client_address, reason, $($message)*)
        };
    }
    match (event.action, event.rejection) {
        (AuditAction::RefreshTokenReuse, _) => line!(warn, "auth: {}", event.action.happened()),
        (_, Some(kind)) if kind.status().is_server_error() && !event.is_provoked => {
            line!(error, "auth: {action} failed");
        }
        (_, Some(_)) => line!(info, "auth: {action} rejected"),
        // Frequent, and nothing that anybody must read.
        (AuditAction::Refresh | AuditAction::RefreshRepeat, None) => {
            line!(debug, "auth: {}", event.action.happened());
        }
        (_, None) => line!(info, "auth: {}", event.action.happened()),
    }
}
