//! The stores, each with an engine of its own.

use auth_runtime::Auth;
use auth_runtime::session::{SigningKey, TokenService};
use auth_runtime::store::{MemoryStore, RedbStore};
use auth_runtime::verify::Algorithm;
use benches::issuer::issuer;
use benches::servers::{Kind, Server, StoreHandle};
use tempfile::TempDir;

pub struct Stored {
    pub name: &'static str,
    pub tokens: TokenService,
    /// That of the server.
    pub version: Option<String>,
    /// What ends when this is dropped.
    _auth: Auth,
    _server: Option<Server>,
    _folder: Option<TempDir>,
}

impl Stored {
    pub async fn all() -> Vec<Self> {
        let key = SigningKey::generate_pem(Algorithm::EdDSA).expect("a key");
        let builder = || Auth::builder().token_issuer(issuer(&key));
        let mut all =
            vec![Self::of("memory", builder().store(MemoryStore::new()).build().expect("an engine")).await];
        let folder = tempfile::tempdir().expect("a folder");
        let redb = RedbStore::open(folder.path().join("auth.redb")).expect("a store");
        let redb = Self::of("redb", builder().store(redb).build().expect("an engine")).await;
        all.push(Self { _folder: Some(folder), ..redb });
        for kind in Kind::ALL {
            let server = Server::start(kind).await;
            let auth = match server.place("sessions", true).connect().await {
                StoreHandle::Postgres(store) => builder().store(store).build(),
                StoreHandle::Redis(store) => builder().store(store).build(),
            };
            let of_server = Self::of(kind.name(), auth.expect("an engine")).await;
            all.push(Self { version: Some(server.version().await), _server: Some(server), ..of_server });
        }
        all
    }

    async fn of(name: &'static str, auth: Auth) -> Self {
        auth.start().await.expect("the log is read");
        let tokens = auth.tokens().expect("an issuer");
        Self { name, tokens, version: None, _auth: auth, _server: None, _folder: None }
    }
}
