//! Which issuers are trusted, and what their tokens must be.

mod introspected;

use std::fmt;

use axum::BoxError;

use super::claim_name::ClaimName;
use super::claim_rule::ClaimRule;
use super::issuer_name::IssuerName;
use super::key_source::{FetchedKeySet, KeySource};
use super::mapping::ClaimMapping;
use crate::jose::{Algorithm, Key};

/// A trusted issuer: its name, its keys, the audience that its tokens must have, and which claims hold the subject, roles,
/// scopes and permissions.
///
/// ```
/// use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
///
/// # let public_key_pem = "";
/// let issuer = TrustedIssuer::new("https://id.example.com")
///     .audience("orders")
///     .key(Key::pem(Algorithm::RS256, public_key_pem))
///     .roles_at("groups");
/// # let _ = issuer;
/// ```
///
/// For Keycloak, Auth0, Entra ID and others begin with their function of [`providers`](mod@super::providers), which also rejects the
/// provider's tokens that are no access tokens. The keys of any other issuer are found by `TrustedIssuer::discover` (feature `jwks`).
#[derive(Clone, Debug)]
#[must_use = "pass it to `Auth::builder().issuer(..)`"]
pub struct TrustedIssuer {
    pub(super) name: IssuerName,
    pub(super) audience: Audience,
    /// In tokens without `aud`, the claim that the audience is compared with. Presets alone set it.
    pub(super) audience_without_aud: Option<ClaimName>,
    pub(super) single_audience: bool,
    pub(super) claim_rules: Vec<(ClaimName, ClaimRule)>,
    pub(super) keys: Vec<Key>,
    pub(super) key_sets: Vec<KeySetText>,
    /// Where the keys come from, if not from `keys` and `key_sets`.
    pub(super) key_source: KeySource,
    /// Whether the provider may be asked without TLS.
    #[cfg(feature = "jwks")]
    pub(super) allow_http: bool,
    /// Whether the service starts while the provider can't be reached.
    pub(super) may_start_unreachable: bool,
    /// The algorithms of the keys of a set; `None`: those that they name, or one by the type of the key.
    pub(super) key_set_algorithms: Option<Vec<Algorithm>>,
    pub(super) token_types: Vec<String>,
    pub(super) mapping: ClaimMapping,
    /// Whose logout tokens count, and what they end.
    #[cfg(feature = "provider-logout")]
    pub(super) logout: super::logout_rules::LogoutRules,
    /// The address of the provider's key set.
    pub(super) key_set_url: Option<Box<str>>,
    /// What is wrong with what it was made from; `build` reports it.
    pub(super) problems: Vec<String>,
    #[cfg(feature = "introspection")]
    pub(super) introspection: Option<super::introspection::Introspection>,
}

/// A JWKS document, which may contain secrets.
#[derive(Clone)]
pub(super) struct KeySetText(pub(super) String);

impl fmt::Debug for KeySetText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[derive(Clone, Debug)]
pub(super) enum Audience {
    Unset,
    Any,
    /// The claim must be absent.
    None,
    OneOf(Vec<String>),
}

impl TrustedIssuer {
    /// Returns an issuer whose tokens have exactly this `iss` (RFC 7519 §4.1.1). The comparison is by code points.
    ///
    /// For some identity providers, [`providers`](mod@super::providers) has functions that also set the mapping. Several names are for
    /// [`one_of`](Self::one_of), and the names of tenants for [`of_tenants`](Self::of_tenants).
    pub fn new(name: impl Into<String>) -> Self {
        Self::named(IssuerName::Exactly(name.into().into()))
    }

    /// Tokens with any `iss`, and without `iss`, as long as one of the keys signed them.
    ///
    /// What is lost: where several issuers share a key, the tokens of one are accepted as those of another (RFC 8725 §3.8). It is
    /// right where the `iss` of one issuer's tokens changes. Otherwise use [`TrustedIssuer::new`], or for tokens without `iss`
    /// [`dangerously_expect_no_issuer`](Self::dangerously_expect_no_issuer). An engine with this issuer has no other.
    pub fn dangerously_accept_any_issuer() -> Self {
        Self::named(IssuerName::Any)
    }

    /// Tokens without `iss` alone. An engine may have one such issuer, also beside others: a token without `iss` is verified with the
    /// keys of this one, and a token with `iss` is not.
    ///
    /// What is lost: the token does not say who issued it, so its key alone does. Everything that is signed with that key and has
    /// no `iss` is accepted, also tokens that are not for this service. It is right for an issuer that can't set `iss`, as by
    /// default `djangorestframework-simplejwt`, if no other issuer has its key. Otherwise use [`TrustedIssuer::new`].
    pub fn dangerously_expect_no_issuer() -> Self {
        Self::named(IssuerName::Absent)
    }

    /// An issuer whose keys are found by its metadata: `url` is exactly the `iss` of its tokens, and `url` with
    /// `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 §4), or else that of RFC 8414 §3, names the address of its key set.
    /// The issuer in the metadata must be `url`, character for character (RFC 8414 §3.3).
    ///
    /// ```no_run
    /// use auth_runtime::{Auth, verify::TrustedIssuer};
    ///
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    /// let auth = Auth::builder()
    ///     .issuer(TrustedIssuer::discover("https://id.example.com").audience("orders"))
    ///     .build()?;
    /// auth.start().await?; // fetches the keys
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// **When keys are fetched.** By [`Auth::start`](crate::Auth::start), and then in the background, as the HTTP headers of the answer
    /// say: every 10 minutes where they say nothing, never under 1 minute and never over 58.5 minutes, so a key that the provider withdraws is
    /// accepted for no longer than 1 hour. A token with an unknown key has the keys fetched at once, at most every 30 seconds: it waits for at most
    /// 2 seconds, and is answered 503 with `Retry-After` where that does not decide, and 401 where the keys were fetched without it.
    /// Tokens of known keys never wait, unless nothing has refreshed the keys for more than a minute after they were due, as after the machine was
    /// suspended: then they wait for at most 2 seconds, and are answered 503 while the keys are still being fetched.
    ///
    /// **Where the provider does not answer,** or its set is empty or can't be read, the last keys serve for up to 24 hours; then tokens of this issuer
    /// are answered 503. [`Auth::key_sets`](crate::Auth::key_sets) reports it.
    ///
    /// **What is asked.** Only this address and the one in its metadata, never one that a token names; over https (http on this machine),
    /// with the certificates that the system trusts; at most 512 KiB within 10 seconds, without redirects. A proxy is that of the
    /// environment (`HTTPS_PROXY`), and never asked for this machine. An address in the metadata is one of this machine or of its link
    /// (169.254.0.0/16, fe80::/10), or one at which a cloud answers its machines (168.63.129.16, 100.100.100.200, 192.0.0.192, fd00:ec2::254), only if that of the issuer is; what a name in it resolves to is not looked at. A set has 100 keys at most. For a client of your own see [`jwks_from`](Self::jwks_from).
    #[cfg(feature = "jwks")]
    pub fn discover(url: impl Into<String>) -> Self {
        Self { key_source: KeySource::Discovery, ..Self::new(url) }
    }

    /// Sets the address of the key set (RFC 7517 §5), for an issuer without metadata. It is fetched as [`discover`](Self::discover) says.
    #[cfg(feature = "jwks")]
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.key_source = KeySource::Url(url.into());
        self
    }

    /// Sets a function that fetches the key set, with an HTTP client of your own or from elsewhere. It is called when
    /// [`discover`](Self::discover) would ask the provider, and may take 30 seconds; its answer may have 512 KiB.
    ///
    /// ```
    /// use auth_runtime::verify::TrustedIssuer;
    ///
    /// let issuer = TrustedIssuer::new("https://id.example.com")
    ///     .audience("orders")
    ///     .jwks_from(|| async { std::fs::read_to_string("/etc/orders/jwks.json") });
    /// # let _ = issuer;
    /// ```
    ///
    /// A [`FetchedKeySet`] says for how long the answer is fresh.
    pub fn jwks_from<F, Fut, T, E>(mut self, fetch: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Into<FetchedKeySet> + 'static,
        E: Into<BoxError> + 'static,
    {
        self.key_source = KeySource::function(fetch);
        self
    }

    /// Lets the service start while the provider of the keys can't be reached: [`Auth::start`](crate::Auth::start) then logs that, and
    /// tokens of this issuer are answered 503 until the keys were fetched. Without it, that is an error of `start`.
    pub fn serve_503_until_reachable(mut self) -> Self {
        self.may_start_unreachable = true;
        self
    }

    /// Fetches keys over http, also from other machines.
    ///
    /// What is lost: everyone on the network between this service and the provider can replace the keys, and so make tokens that are accepted
    /// here. It is right in a closed network whose proxies do TLS. For a provider on this machine, http needs no switch.
    #[cfg(feature = "jwks")]
    pub fn dangerously_allow_http(mut self) -> Self {
        self.allow_http = true;
        self
    }

    /// Where the keys come from. Those of a preset are fetched from its provider, unless they are given.
    pub(super) fn source_of_keys(&self) -> KeySource {
        match (&self.key_source, &self.key_set_url) {
            #[cfg(feature = "jwks")]
            (KeySource::Given, Some(url))
                if self.keys.is_empty() && self.key_sets.is_empty() && self.needs_keys() =>
            {
                KeySource::Url(url.clone().into())
            }
            (source, _) => source.clone(),
        }
    }

    pub(super) fn named(name: IssuerName) -> Self {
        Self {
            name,
            audience: Audience::Unset,
            audience_without_aud: None,
            single_audience: false,
            claim_rules: Vec::new(),
            keys: Vec::new(),
            key_sets: Vec::new(),
            key_source: KeySource::Given,
            #[cfg(feature = "jwks")]
            allow_http: false,
            may_start_unreachable: false,
            key_set_algorithms: None,
            token_types: vec!["at+jwt".into(), "JWT".into()],
            mapping: ClaimMapping::default(),
            #[cfg(feature = "provider-logout")]
            logout: super::logout_rules::LogoutRules::default(),
            key_set_url: None,
            problems: Vec::new(),
            #[cfg(feature = "introspection")]
            introspection: None,
        }
    }

    /// Adds a name of this service. The token's `aud` must be or contain one of the added names (RFC 7519 §4.1.3).
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        match &mut self.audience {
            Audience::OneOf(names) => names.push(audience.into()),
            _ => self.audience = Audience::OneOf(vec![audience.into()]),
        }
        self
    }

    /// Accepts tokens for any audience, and without audience.
    ///
    /// What is lost: a token that the issuer made for another service is accepted here too, so that service, or an attacker who
    /// controls it, can act as its users here (RFC 8725 §3.9). It is right where all services of an issuer trust each other.
    /// Otherwise use [`TrustedIssuer::audience`].
    pub fn dangerously_accept_any_audience(mut self) -> Self {
        self.audience = Audience::Any;
        self
    }

    /// Accepts tokens without an audience alone. A token with `aud` is for another service, and is rejected (RFC 7519 §4.1.3).
    ///
    /// What is lost: all services that trust this issuer accept the same tokens, so each can act as the users of the others. It is
    /// right where an issuer can't set `aud`. Otherwise use [`TrustedIssuer::audience`].
    pub fn dangerously_expect_no_audience(mut self) -> Self {
        self.audience = Audience::None;
        self
    }

    /// Requires that `aud` is a single name, so that no other service can use a token that was sent to this one.
    pub fn single_audience(mut self) -> Self {
        self.single_audience = true;
        self
    }

    /// Adds a rule for a claim. Every token of the issuer must satisfy it, on every route.
    ///
    /// ```
    /// use auth_runtime::verify::{ClaimRule, TrustedIssuer};
    ///
    /// let issuer = TrustedIssuer::new("https://id.example.com")
    ///     .claim("client_id", ClaimRule::one_of(["web", "mobile"]))
    ///     .claim("email_verified", ClaimRule::equals(true))
    ///     .claim("tenant.id", ClaimRule::Present);
    /// # let _ = issuer;
    /// ```
    pub fn claim(mut self, name: impl Into<ClaimName>, rule: ClaimRule) -> Self {
        self.claim_rules.push((name.into(), rule));
        self
    }

    /// Adds a key that verifies the issuer's signatures. Each key that is added has an id of its own, or none.
    ///
    /// A token is tried with the keys of its `alg` that have its `kid`, and then with those that have no id; with those of its `alg` if it
    /// has no `kid`. At most 16 keys are tried.
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds the keys of a JWKS document (RFC 7517 §5), given as JSON text. Keys that can't be used are skipped and logged.
    ///
    /// Several keys of a set may have the same `kid` (RFC 7517 §4.5): a token is tried with each, in the order of the set, as
    /// [`key`](Self::key) says.
    pub fn jwks(mut self, json: impl Into<String>) -> Self {
        self.key_sets.push(KeySetText(json.into()));
        self
    }

    /// Sets the algorithms of the keys of a set, whether it is given or fetched: no token of another one is accepted with them. A key without
    /// `alg` is for each of them that its type allows. A key with another `alg`, or whose type allows none, is skipped and logged.
    ///
    /// Default: the `alg` of the key. A key without one is for RS256 if it is an RSA key, for the algorithm of its curve if it is an EC key,
    /// and for EdDSA if it is an Ed25519 key.
    ///
    /// ```
    /// use auth_runtime::verify::{Algorithm, TrustedIssuer};
    ///
    /// # let jwks = "";
    /// let issuer = TrustedIssuer::new("https://id.example.com")
    ///     .jwks(jwks)
    ///     .jwks_algorithms([Algorithm::PS256, Algorithm::ES256]);
    /// # let _ = issuer;
    /// ```
    ///
    /// A key should be for one algorithm (RFC 8725 §3.1): name RS256 and PS256 together only if the issuer signs with both.
    pub fn jwks_algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        let mut named = Vec::new();
        for algorithm in algorithms {
            if !named.contains(&algorithm) {
                named.push(algorithm);
            }
        }
        self.key_set_algorithms = Some(named);
        self
    }

    /// Sets the accepted values of the header's `typ`. They are compared without case, and with or without the prefix
    /// `application/` (RFC 7515 §4.1.9). Default: `at+jwt` (RFC 9068) and `JWT`.
    ///
    /// A token without `typ` is accepted only if `JWT` is accepted.
    pub fn token_types(mut self, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.token_types = types.into_iter().map(Into::into).collect();
        self
    }
}
