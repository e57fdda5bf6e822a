//! The address of the client as an argument of a handler.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;

use crate::client_address::UNKNOWN_ADDRESS;
use crate::pipeline::RequestAuth;
use crate::rejection::{Rejection, RejectionKind, misconfigured};

/// The address of the client, as an argument of a handler or of a `#[check]`: that of the connection, or behind
/// [trusted proxies](crate::AuthBuilder::trusted_proxies) the one that they report. It is the address by which login attempts are
/// limited, and that audit events have. An IPv4-mapped IPv6 address is converted to IPv4.
///
/// ```
/// use auth_runtime::{ClientAddress, auth};
///
/// #[auth(public)]
/// async fn where_from(ClientAddress(address): ClientAddress) -> String {
///     address.to_string()
/// }
/// ```
///
/// Serve the app with `into_make_service_with_connect_info::<SocketAddr>()`. Otherwise the address is unknown: the request is
/// rejected with 500, and the log says what to do. With `Option<ClientAddress>` an unknown address is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_structs, reason = "an address is all that it is")]
pub struct ClientAddress(pub IpAddr);

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Rejection;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let auth = request_auth(head)?;
        auth.engine().client_address(head).map(Self).ok_or_else(|| {
            tracing::error!("auth: {UNKNOWN_ADDRESS}");
            auth.reject(RejectionKind::Misconfigured, UNKNOWN_ADDRESS, head)
        })
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for ClientAddress {
    type Rejection = Rejection;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        Ok(request_auth(head)?.engine().client_address(head).map(Self))
    }
}

fn request_auth(head: &Parts) -> Result<&RequestAuth, Rejection> {
    RequestAuth::of(head).ok_or_else(|| {
        misconfigured(
            "`ClientAddress` is extracted without the layer of `Auth`: build the app with `auth_runtime::Router` and \
             `.finish(&auth)`, or add `.layer(auth.layer())` to the `axum::Router`",
        )
    })
}
