//! Where the primary is looked for: at the nodes of the URLs, at the one that they name (`MOVED`), or at the one that Sentinels name.

use std::fmt;
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _,
    ProtocolVersion, TlsCertificates, cmd,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};

use super::failure::Failure;
use super::options::RedisStoreOptions;
use super::server;
use super::time_limit::within;
use crate::store::StoreError;

/// How many nodes of a Cluster are followed to the one that has the keys.
const MAX_REDIRECTS: usize = 5;

/// Where the primary is looked for.
pub(super) struct Target {
    nodes: Vec<ConnectionInfo>,
    sentinels: Option<Sentinels>,
    state_key: String,
    pub(super) time_limit: Duration,
    allow_eviction: bool,
    wait_for_replicas: u32,
}

struct Sentinels {
    name: String,
    nodes: Vec<ConnectionInfo>,
}

/// A connection to a primary that can be used.
pub(super) struct Connected {
    pub(super) connection: MultiplexedConnection,
    pub(super) address: String,
    /// What its operator should know.
    pub(super) warnings: Vec<String>,
}

impl Target {
    /// # Errors
    /// [`StoreError`] if a URL or a certificate is invalid.
    pub(super) fn new(url: &str, options: &RedisStoreOptions, state_key: &str) -> Result<Self, StoreError> {
        let read = |url: &str| node(url, options).map_err(|failure| failure.describe(redacted(url)));
        let mut nodes = vec![read(url)?];
        for url in &options.other_nodes {
            nodes.push(read(url)?);
        }
        let sentinels = match &options.sentinels {
            None => None,
            Some((name, urls)) => {
                let nodes = urls.iter().map(|url| read(url)).collect::<Result<Vec<_>, _>>()?;
                if nodes.is_empty() {
                    let why =
                        "no Sentinel is named: pass their URLs to `RedisStoreOptions::sentinels`".into();
                    return Err(Failure::Unusable(why).describe(redacted(url)));
                }
                Some(Sentinels { name: name.clone(), nodes })
            }
        };
        let of_sentinels = sentinels.iter().flat_map(|sentinels| &sentinels.nodes);
        if nodes.iter().chain(of_sentinels).any(|node| matches!(node.addr(), ConnectionAddr::TcpTls { .. })) {
            choose_crypto_provider();
        }
        Ok(Self {
            nodes,
            sentinels,
            state_key: state_key.to_owned(),
            time_limit: options.time_limit,
            allow_eviction: options.allow_eviction,
            wait_for_replicas: options.wait_for_replicas,
        })
    }

    /// Whether somebody else says where the primary is.
    pub(super) fn has_sentinels(&self) -> bool {
        self.sentinels.is_some()
    }

    /// Connects to the primary.
    ///
    /// # Errors
    /// [`StoreError`] if there is none that can be used.
    pub(super) async fn connect(&self) -> Result<Connected, StoreError> {
        let named;
        let nodes = match &self.sentinels {
            None => &self.nodes[..],
            Some(sentinels) => {
                named = [self.ask(sentinels).await?];
                &named
            }
        };
        // A part of the limit, so that the caller learns why within it.
        let limit = self.share(nodes.len());
        let mut unusable = None;
        for node in nodes {
            match self.connect_to(node.clone(), limit).await {
                Ok(connected) => return Ok(connected),
                Err((failure, address)) => {
                    // Says more than that another one does not answer.
                    let is_final = matches!(failure, Failure::Unusable(_));
                    if is_final || unusable.is_none() {
                        unusable = Some(failure.describe(address));
                    }
                }
            }
        }
        Err(unusable.unwrap_or_else(|| StoreError::new("the store in Redis has no URL")))
    }

    /// Connects to this node, or to the one that has the keys.
    async fn connect_to(
        &self,
        mut node: ConnectionInfo,
        limit: Duration,
    ) -> Result<Connected, (Failure, String)> {
        for _ in 0..MAX_REDIRECTS {
            let address = node.addr().to_string();
            let checked = async {
                let mut connection = open(&node).await?;
                let (eviction, replicas) = (self.allow_eviction, self.wait_for_replicas);
                let warnings = server::check(&mut connection, &self.state_key, eviction, replicas).await?;
                Ok(Connected { connection, address: address.clone(), warnings })
            };
            match within(limit, checked).await.unwrap_or(Err(Failure::TimeLimit(limit))) {
                Ok(connected) => return Ok(connected),
                Err(failure) => match failure.moved_to() {
                    Some((host, port)) => node = at(&node, host, port),
                    None => return Err((failure, address)),
                },
            }
        }
        let why = "the nodes of the Cluster redirect to each other: see `CLUSTER NODES`".to_owned();
        Err((Failure::Unusable(why), node.addr().to_string()))
    }

    /// Asks the Sentinels where the primary is.
    async fn ask(&self, sentinels: &Sentinels) -> Result<ConnectionInfo, StoreError> {
        let limit = self.share(2 * sentinels.nodes.len());
        let mut last = None;
        for sentinel in &sentinels.nodes {
            let asked = async {
                let mut connection = open(sentinel).await?;
                let mut question = cmd("SENTINEL");
                question.arg("GET-MASTER-ADDR-BY-NAME").arg(&sentinels.name);
                Ok(question.query_async::<Option<(String, u16)>>(&mut connection).await?)
            };
            let failure = match within(limit, asked).await.unwrap_or(Err(Failure::TimeLimit(limit))) {
                Ok(Some((host, port))) => {
                    return self
                        .nodes
                        .first()
                        .map(|node| at(node, &host, port))
                        .ok_or_else(|| StoreError::new("the store in Redis has no URL"));
                }
                Ok(None) => Failure::Unusable(format!(
                    "this Sentinel knows no primary of the name {:?}: see `SENTINEL MASTERS`",
                    sentinels.name
                )),
                Err(failure) => failure,
            };
            last = Some(failure.describe(sentinel.addr()));
        }
        Err(last.unwrap_or_else(|| StoreError::new("the store in Redis has no Sentinel")))
    }

    /// What one of so many connections may take, and as much is left of the limit.
    fn share(&self, connections: usize) -> Duration {
        self.time_limit.mul_f64(0.5) / u32::try_from(connections.max(1)).unwrap_or(u32::MAX)
    }
}

/// The addresses, or the name of the primary and the addresses of the Sentinels; without users and passwords.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, nodes) = match &self.sentinels {
            None => (None, &self.nodes),
            Some(Sentinels { name, nodes }) => (Some(name), nodes),
        };
        if let Some(name) = name {
            write!(f, "{name} of ")?;
        }
        for (number, node) in nodes.iter().enumerate() {
            write!(f, "{}{}", if number == 0 { "" } else { ", " }, node.addr())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Target").field(&format_args!("{self}")).finish()
    }
}

async fn open(node: &ConnectionInfo) -> Result<MultiplexedConnection, Failure> {
    // The limits of the client (500 ms) are shorter than a blocking read; `within` has those of the store.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    let client = Client::open(node.clone())?;
    Ok(client.get_multiplexed_async_connection_with_config(&config).await?)
}

/// The same with another address.
fn at(node: &ConnectionInfo, host: &str, port: u16) -> ConnectionInfo {
    let addr = match node.addr() {
        // A node that does not know its own host leaves it out.
        ConnectionAddr::Tcp(own, _) => {
            ConnectionAddr::Tcp(if host.is_empty() { own.clone() } else { host.to_owned() }, port)
        }
        ConnectionAddr::TcpTls { host: own, tls_params, .. } => ConnectionAddr::TcpTls {
            host: if host.is_empty() { own.clone() } else { host.to_owned() },
            port,
            insecure: false,
            tls_params: tls_params.clone(),
        },
        _ => ConnectionAddr::Tcp(host.to_owned(), port),
    };
    node.clone().set_addr(addr)
}

/// What a URL and the options say.
fn node(url: &str, options: &RedisStoreOptions) -> Result<ConnectionInfo, Failure> {
    let node = url.into_connection_info()?;
    let settings = node.redis_settings().clone().set_protocol(ProtocolVersion::RESP2);
    let node = node.set_redis_settings(settings);
    let certificates = TlsCertificates {
        client_tls: options.client_certificate.as_ref().map(|(certificate, key)| ClientTlsConfig {
            client_cert: certificate.clone(),
            client_key: key.clone(),
        }),
        root_cert: options.root_certificates.clone(),
    };
    let has_certificates = certificates.client_tls.is_some() || certificates.root_cert.is_some();
    match node.addr() {
        // Another crate of the application can turn on the feature of the client that allows it.
        ConnectionAddr::TcpTls { insecure: true, .. } => Err(Failure::Unusable(
            "`#insecure` in its URL is not supported: set the `root_certificates` that its certificate is verified with".to_owned(),
        )),
        ConnectionAddr::TcpTls { .. } if has_certificates => {
            Ok(Client::build_with_tls(node, certificates)?.get_connection_info().clone())
        }
        ConnectionAddr::TcpTls { .. } => Ok(node),
        _ if has_certificates => Err(Failure::Unusable(
            "its URL has no TLS, so the certificates of the options would not be used: begin the URL with `rediss://`".to_owned(),
        )),
        _ => Ok(node),
    }
}

/// A URL without user and password.
fn redacted(url: &str) -> &str {
    url.rsplit('@').next().unwrap_or_default()
}

/// rustls panics where two providers are compiled in and the application has chosen none. Where it has, its choice stays.
fn choose_crypto_provider() {
    if CryptoProvider::get_default().is_none() {
        // It fails if another thread was faster.
        let _ = aws_lc_rs::default_provider().install_default();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::crypto::{CryptoProvider, aws_lc_rs};

    use super::choose_crypto_provider;

    #[test]
    fn a_provider_is_chosen_once_and_that_of_the_application_stays() {
        choose_crypto_provider();
        let chosen = Arc::clone(CryptoProvider::get_default().unwrap());
        choose_crypto_provider();
        assert!(Arc::ptr_eq(&chosen, CryptoProvider::get_default().unwrap()));
        assert!(aws_lc_rs::default_provider().install_default().is_err(), "it is that of the process");
    }
}
