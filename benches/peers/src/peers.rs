//! The peers. Each is a function that makes a router for tokens of one key, or says why it can't.
//!
//! All of them guard the same handler, which reads the subject and answers `ok`, and let nobody but an `admin` to it: by their own means where
//! they have such, and otherwise in the handler.

mod aliri;
mod authkestra;
mod axum_gate;
mod axum_jwt_auth;
mod by_hand;
mod huskarl;
mod jwt_authorizer;
mod key_server;
mod oauth_resource_server;
mod protect;
mod this;
mod tower_oauth2;

use tokio::runtime::Runtime;

use crate::app::{App, Axum, Axum07};
use crate::key::Key;
use crate::tokens::Form;

pub struct Peer {
    pub name: &'static str,
    pub form: Form,
    /// Whether it has a cache of [`SMALL_CACHE`] bytes, which is to be full before it is measured with new tokens.
    pub has_small_cache: bool,
    /// The plain router that it is compared with.
    pub base: &'static str,
    make: fn(&Key, &Runtime) -> Result<Box<dyn App>, &'static str>,
}

impl Peer {
    /// # Errors
    ///
    /// Why the peer does not verify tokens of such a key.
    pub fn app(&self, key: &Key, runtime: &Runtime) -> Result<Box<dyn App>, &'static str> {
        let _context = runtime.enter();
        (self.make)(key, runtime)
    }
}

const fn peer(name: &'static str, make: fn(&Key, &Runtime) -> Result<Box<dyn App>, &'static str>) -> Peer {
    Peer { name, form: Form::Keycloak, has_small_cache: false, base: PLAIN, make }
}

pub const PLAIN: &str = "plain axum";
pub const CONTROL: &str = "plain axum again";
pub const THIS: &str = "this library";
pub const THIS_WITHOUT_CACHE: &str = "this library, no cache";
pub const THIS_WITH_FULL_CACHE: &str = "this library, full cache";
pub const BY_HAND: &str = "by hand, with a cache";
pub const FROM_FN: &str = "by hand, from_fn";
pub const PLAIN_07: &str = "plain axum 0.7";

/// What is no peer: this library and by hand.
pub const OWN: [&str; 5] = [THIS, THIS_WITH_FULL_CACHE, THIS_WITHOUT_CACHE, BY_HAND, FROM_FN];

/// So small that a few thousand tokens fill it.
pub const SMALL_CACHE: usize = 4 << 20;

/// What guards nothing.
pub const PLAIN_ROUTERS: [Peer; 3] = [
    peer(PLAIN, |_, _| Ok(Axum::of(plain()))),
    peer(CONTROL, |_, _| Ok(Axum::of(plain()))),
    peer(PLAIN_07, |_, _| Ok(Axum07::of(axum_07::Router::new().route("/", axum_07::routing::get(ok))))),
];

pub const GUARDED: [Peer; 14] = [
    peer(THIS, this::make),
    Peer { has_small_cache: true, ..peer(THIS_WITH_FULL_CACHE, this::with_a_small_cache) },
    peer(THIS_WITHOUT_CACHE, this::without_a_cache),
    peer(BY_HAND, by_hand::with_a_cache),
    peer(FROM_FN, by_hand::from_fn),
    peer("axum-jwt-auth", axum_jwt_auth::make),
    Peer { base: PLAIN_07, ..peer("jwt-authorizer, axum 0.7", jwt_authorizer::make) },
    peer("tower-oauth2-resource-server", tower_oauth2::make),
    peer("protect-axum, jsonwebtoken", protect::make),
    Peer { form: Form::Gate, ..peer("axum-gate, tokens of its own", axum_gate::make) },
    peer("aliri_axum, aliri_tower", aliri::make),
    peer("huskarl-axum", huskarl::make),
    peer("authkestra-axum", authkestra::make),
    peer("oauth-resource-server", oauth_resource_server::make),
];

/// The crates whose versions a report names.
pub const CRATES: [&str; 14] = [
    "axum",
    "jsonwebtoken",
    "axum-jwt-auth",
    "jwt-authorizer",
    "tower-oauth2-resource-server",
    "protect-axum",
    "axum-gate",
    "aliri_axum",
    "aliri_tower",
    "huskarl-axum",
    "huskarl-crypto-native",
    "authkestra-axum",
    "oauth-resource-server",
    "aws-lc-rs",
];

pub fn named(name: &str) -> &'static Peer {
    const ALL: [&[Peer]; 2] = [&PLAIN_ROUTERS, &GUARDED];
    ALL.into_iter().flatten().find(|peer| peer.name == name).unwrap_or_else(|| panic!("{name} is no peer"))
}

fn plain() -> axum::Router {
    axum::Router::new().route("/", axum::routing::get(ok))
}

async fn ok() -> &'static str {
    "ok"
}

/// The peers refuse to choose between two implementations of `jsonwebtoken`'s cryptography that are both in this program.
pub fn use_aws_lc() {
    let _ = jsonwebtoken_10::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}

/// The key and the rules of `jsonwebtoken`, in one of its versions.
macro_rules! decoding {
    ($jsonwebtoken:ident, $key:expr) => {{
        use $jsonwebtoken::{Algorithm, DecodingKey, Validation};
        let key: &$crate::key::Key = $key;
        let (algorithm, decoding) = match key.algorithm {
            $crate::key::Algorithm::Hs256 => (Algorithm::HS256, DecodingKey::from_secret(&key.material)),
            $crate::key::Algorithm::Rs256 => (Algorithm::RS256, DecodingKey::from_rsa_der(&key.material)),
            $crate::key::Algorithm::Es256 => (Algorithm::ES256, DecodingKey::from_ec_der(&key.material)),
            $crate::key::Algorithm::EdDsa => (Algorithm::EdDSA, DecodingKey::from_ed_der(&key.material)),
        };
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[$crate::ISSUER]);
        validation.set_audience(&[$crate::AUDIENCE]);
        (decoding, validation)
    }};
}
use decoding;
