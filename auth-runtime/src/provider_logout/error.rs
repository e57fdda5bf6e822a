//! Why a route can't be made.

use std::error::Error;
use std::fmt;

/// No issuer of the engine has a logout audience, so every logout token would be rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoLogoutAudience;

impl fmt::Display for NoLogoutAudience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no issuer of the engine has a logout audience, so every logout token would be rejected: call \
             `.logout_audience(\"client id of this service\")` on the `TrustedIssuer` whose logout tokens are sent",
        )
    }
}

impl Error for NoLogoutAudience {}

/// The engine has no transmitter of security events, so every push would be rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoSecurityEventTransmitter;

impl fmt::Display for NoSecurityEventTransmitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the engine has no transmitter of security events, so every push would be rejected: call \
             `.security_event_transmitter(SecurityEventTransmitter::new(..))` on the builder",
        )
    }
}

impl Error for NoSecurityEventTransmitter {}
