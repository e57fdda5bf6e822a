//! What the service must know of its provider.

/// Who is asked, and what for.
pub(crate) struct Config {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    /// This service, as a client of the provider that asks about tokens.
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
}

impl Config {
    /// From the environment; `None` where no provider is named.
    pub(crate) fn from_environment() -> Result<Option<Self>, String> {
        let Ok(issuer) = std::env::var("ISSUER") else { return Ok(None) };
        let variable =
            |name: &str| std::env::var(name).map_err(|_| format!("ISSUER is set, so set {name} too"));
        Ok(Some(Self {
            issuer,
            audience: variable("AUDIENCE")?,
            client_id: variable("CLIENT_ID")?,
            client_secret: variable("CLIENT_SECRET")?,
        }))
    }
}
