//! Who may send security events.

use super::AuthBuilder;
use crate::error::ConfigErrors;
use crate::security_event::{self, MAX_BYTES, SecurityEventTransmitter};
use crate::verify::JwtVerifier;

/// What the builder was given.
pub(super) type Transmitters = Vec<SecurityEventTransmitter>;

impl AuthBuilder {
    /// Accepts the security event tokens of this transmitter, at the route
    /// [`security_events`](crate::provider_logout::security_events). Each call adds one; the `iss` of a token selects it.
    pub fn security_event_transmitter(mut self, transmitter: SecurityEventTransmitter) -> Self {
        self.transmitters.push(transmitter);
        self
    }
}

/// The transmitters, with what they may speak of. `tokens` is the verifier of the engine's issuers.
pub(super) fn assemble(
    builder: &mut AuthBuilder,
    tokens: &JwtVerifier,
    errors: &mut ConfigErrors,
) -> security_event::Transmitters {
    security_event::Transmitters::new(std::mem::take(&mut builder.transmitters), tokens, MAX_BYTES, errors)
}
