//! A provider with TLS: its certificate is one that the system trusts, and is for the host in the address (RFC 8414 §6.1, RFC 9525).

use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use auth_runtime::testing::TestClock;
use auth_runtime::verify::TrustedIssuer;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{ISSUER, engine, key, set};
use crate::support::people::AUDIENCE;

/// A value of DER: its tag, its length, and its parts.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match length {
        [0, short] if short < 128 => vec![tag, short],
        [0, long] => vec![tag, 0x81, long],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [head, content].concat()
}

/// A certificate for 127.0.0.1 that is signed with its own key.
struct Certificate {
    der: Vec<u8>,
    /// PKCS #8.
    key: Vec<u8>,
}

impl Certificate {
    /// RFC 5280 §4.1, and §4.2.1.6 for the address.
    fn new() -> Self {
        const SEQUENCE: u8 = 0x30;
        const ECDSA_WITH_SHA256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref()).unwrap();
        let algorithm = der(SEQUENCE, &[ECDSA_WITH_SHA256]);
        let common_name = der(SEQUENCE, &[&[0x06, 3, 0x55, 4, 3], &der(0x0c, &[b"a test"])]);
        let name = der(SEQUENCE, &[&der(0x31, &[&common_name])]);
        let validity = der(SEQUENCE, &[&der(0x17, &[b"200101000000Z"]), &der(0x17, &[b"490101000000Z"])]);
        let address = der(SEQUENCE, &[&der(0x87, &[&Ipv4Addr::LOCALHOST.octets()])]);
        let alternative_name = der(SEQUENCE, &[&[0x06, 3, 0x55, 0x1d, 0x11], &der(0x04, &[&address])]);
        let extensions = der(0xa3, &[&der(SEQUENCE, &[&alternative_name])]);
        let public = pair.public_key().as_der().unwrap();
        let version_and_number = [0xa0, 3, 2, 1, 2, 2, 1, 1];
        let parts: [&[u8]; 7] =
            [&version_and_number, &algorithm, &name, &validity, &name, public.as_ref(), &extensions];
        let certified = der(SEQUENCE, &parts);
        let signature = pair.sign(&random, &certified).unwrap();
        let der = der(SEQUENCE, &[&certified, &algorithm, &der(0x03, &[&[0], signature.as_ref()])]);
        Self { der, key: document.as_ref().to_vec() }
    }

    fn write_pem(&self, path: &Path) {
        std::fs::write(path, pem::encode(&pem::Pem::new("CERTIFICATE", &*self.der))).unwrap();
    }
}

/// A server of keys on 127.0.0.1, with this certificate.
struct Server {
    address: SocketAddr,
    /// How many requests it has answered.
    answered: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(certificate: &Certificate, keys: String) -> Self {
        let key = PrivateKeyDer::try_from(certificate.key.clone()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(certificate.der.clone())], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let answered = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&answered);
        let reply = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{keys}",
            keys.len()
        );
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that does not trust the certificate ends the handshake.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut head = [0; 4096];
                if stream.read(&mut head).await.is_ok_and(|length| length > 0) {
                    count.fetch_add(1, Ordering::SeqCst);
                    let _ = stream.write_all(reply.as_bytes()).await;
                    let _ = stream.shutdown().await;
                }
            }
        });
        Self { address, answered, task }
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/jwks", self.address.port())
    }

    fn answered(&self) -> usize {
        self.answered.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The keys at this address are fetched, or that fails with this cause.
async fn assert_fetched(url: &str, expected: Result<(), &str>) {
    let issuer = TrustedIssuer::new(ISSUER).audience(AUDIENCE).jwks_url(url);
    let started = engine(&TestClock::new(), issuer).start().await.map_err(|error| error.to_string());
    match (&started, expected) {
        (Ok(()), Ok(())) => {}
        (Err(error), Err(cause)) if error.contains("can't be reached") && error.contains(cause) => {}
        _ => panic!("{started:?}, and not {expected:?}"),
    }
}

/// What the process of its own is to do, since the certificates that are trusted are those of a process.
const URL: &str = "AUTH_TESTS_TLS_URL";
const CAUSE: &str = "AUTH_TESTS_TLS_CAUSE";
const TEST: &str = "key_sets::tls::a_certificate_is_trusted_by_the_system_and_for_the_host_of_the_address";

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_trusted_by_the_system_and_for_the_host_of_the_address() {
    if let Ok(url) = env::var(URL) {
        let cause = env::var(CAUSE).ok();
        return assert_fetched(&url, cause.as_deref().map_or(Ok(()), Err)).await;
    }
    let certificate = Certificate::new();
    let server = Server::start(&certificate, set(&[&key("a")])).await;
    assert_fetched(&server.url("127.0.0.1"), Err("invalid peer certificate: UnknownIssuer")).await;
    assert_eq!(server.answered(), 0, "nothing is sent to it");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    certificate.write_pem(&file);
    for (host, cause) in
        [("127.0.0.1", None), ("localhost", Some("invalid peer certificate: certificate not valid for name"))]
    {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["--exact", TEST])
            .env(URL, server.url(host))
            .env("SSL_CERT_FILE", &file)
            .env_remove("SSL_CERT_DIR");
        command.envs(cause.map(|cause| (CAUSE, cause)));
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{host}: {said}");
        assert_eq!(server.answered(), 1, "the one that trusts it, at its address");
    }
}
