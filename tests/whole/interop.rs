//! Tokens of other languages' libraries: PyJWT, joserfc and jose sign what we verify, and verify what we sign.
//!
//! `tests/run` installs them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use auth_runtime::routing::get;
use auth_runtime::session::{RefreshKey, SigningKey, Subject, TokenIssuer};
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use auth_runtime::{Auth, Router, auth};
use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use serde_json::{Value, json};

use crate::support::people::People;
use crate::support::{base64url, request, send};

/// A library of another language, spoken to over a pipe; ended when dropped.
struct Peer {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Peer {
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, from) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, to, from }
    }

    fn ask(&mut self, call: &Value) -> Value {
        writeln!(self.to, "{call}").unwrap();
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no answer to {call}"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A key pair in the forms that each side wants: ours from PEM, theirs as JWK.
struct Keys {
    signing: SigningKey,
    private_jwk: Value,
    public_jwk: Value,
}

fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8], public_jwk: Value, private: &[(&str, String)]) -> Keys {
    let pem = pem::encode(&pem::Pem::new("PRIVATE KEY", pkcs8));
    let mut private_jwk = public_jwk.clone();
    for (name, value) in private {
        private_jwk[*name] = value.as_str().into();
    }
    Keys { signing: SigningKey::pem(algorithm, pem.as_bytes()).unwrap(), private_jwk, public_jwk }
}

/// RSA keys come from Python: no Rust library here gives the private numbers of one.
fn keys(algorithm: Algorithm, rsa: &(Vec<u8>, Value)) -> Keys {
    let alg = algorithm.name();
    let elliptic = |curve: &'static aws_lc_rs::signature::EcdsaSigningAlgorithm, crv: &str| {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(curve, &SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(curve, pkcs8.as_ref()).unwrap();
        let point = &pair.public_key().as_ref()[1..];
        let (x, y) = point.split_at(point.len() / 2);
        let public = json!({ "kty": "EC", "crv": crv, "alg": alg, "x": base64url(x), "y": base64url(y) });
        let d = base64url(pair.private_key().as_be_bytes().unwrap().as_ref());
        from_pkcs8(algorithm, pkcs8.as_ref(), public, &[("d", d)])
    };
    match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
            let jwk = json!({ "kty": "oct", "alg": alg, "k": base64url(&[7; 64]) });
            let signing = SigningKey::secret(algorithm, &[7; 64]).unwrap();
            Keys { signing, private_jwk: jwk.clone(), public_jwk: jwk }
        }
        Algorithm::ES256 => elliptic(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
        Algorithm::ES384 => elliptic(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
        Algorithm::ES512 => elliptic(&ECDSA_P521_SHA512_FIXED_SIGNING, "P-521"),
        Algorithm::EdDSA => {
            let pair = Ed25519KeyPair::generate().unwrap();
            let x = base64url(pair.public_key().as_ref());
            let public = json!({ "kty": "OKP", "crv": "Ed25519", "alg": alg, "x": x });
            let d = base64url(pair.seed().unwrap().as_be_bytes().unwrap().as_ref());
            from_pkcs8(algorithm, pair.to_pkcs8().unwrap().as_ref(), public, &[("d", d)])
        }
        _ => {
            let (pkcs8, private) = rsa;
            let public = json!({ "kty": "RSA", "alg": alg, "n": private["n"], "e": private["e"] });
            let names = ["d", "p", "q", "dp", "dq", "qi"];
            let parts: Vec<_> =
                names.iter().map(|name| (*name, private[*name].as_str().unwrap().to_owned())).collect();
            from_pkcs8(algorithm, pkcs8, public, &parts)
        }
    }
}

fn rsa_from_python(python: &Path) -> (Vec<u8>, Value) {
    use base64::Engine as _;
    let script = "
import base64, json
from joserfc.jwk import RSAKey
key = RSAKey.generate_key(2048, private=True)
print(base64.b64encode(key.as_der(private=True)).decode())
print(json.dumps(key.as_dict(private=True)))";
    let output = Command::new(python).arg("-c").arg(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (der, jwk) = text.split_once('\n').unwrap();
    let der = base64::engine::general_purpose::STANDARD.decode(der).unwrap();
    (der, serde_json::from_str(jwk).unwrap())
}

#[auth]
async fn handler() {}

fn app(jwk: &Value) -> axum::Router {
    let issuer = TrustedIssuer::new("https://id.example").audience("orders").key(Key::jwk(jwk.to_string()));
    let auth = Auth::builder().issuer(issuer).build().unwrap();
    Router::new().route("/", get(handler)).finish(&auth).unwrap()
}

/// An access token of an issuer with this key, and the key as that issuer publishes it.
fn issued(key: &SigningKey) -> (String, Option<Value>) {
    let issuer = TokenIssuer::new("https://id.example", "orders", key.clone(), People::default());
    let auth =
        Auth::builder().token_issuer(issuer.refresh_key(RefreshKey::new("k", [1; 32]))).build().unwrap();
    let tokens = auth.tokens().unwrap();
    let published: Value = serde_json::from_str(&tokens.key_set()).unwrap();
    (tokens.issue_access(&Subject::new("ålice")).unwrap(), published["keys"].get(0).cloned())
}

async fn accepts(app: &axum::Router, token: &str) -> bool {
    let bearer = format!("Bearer {token}");
    send(app, request("GET", "/", &[("authorization", &bearer)])).await.status == 200
}

/// Tokens near to a good one, spread over all of it.
fn mutations(token: &str) -> Vec<String> {
    let parts: Vec<&str> = token.split('.').collect();
    let mut all: Vec<String> = (0..token.len())
        .step_by(7)
        .map(|at| {
            let other = if &token[at..=at] == "A" { "B" } else { "A" };
            format!("{}{other}{}", &token[..at], &token[at + 1..])
        })
        .collect();
    all.extend([
        format!("{token}A"),
        format!("{token}="),
        format!("{token}."),
        parts[..2].join("."),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", base64url(br#"{"alg":"none"}"#), parts[1], parts[2]),
        format!("{}.{}.", base64url(br#"{"alg":"none"}"#), parts[1]),
    ]);
    all
}

#[tokio::test]
#[ignore = "needs PyJWT, joserfc and jose: bash tests/run"]
async fn tokens_of_other_languages() {
    let tools = auth_tests_tools::folder();
    let python = tools.join("python/bin/python");
    let rsa = rsa_from_python(&python);
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("interop/peer.py");
    let start_python = || Peer::start(Command::new(&python).args(["-W", "ignore"]).arg(&script));
    let peers = [
        ("pyjwt", start_python()),
        ("joserfc", start_python()),
        ("jose", Peer::start(Command::new(tools.join("bin/node")).arg(tools.join("node/peer.mjs")))),
    ];
    let mut spoken: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (library, mut peer) in peers {
        for &algorithm in Algorithm::ALL {
            let keys = keys(algorithm, &rsa);
            let app = app(&keys.public_jwk);
            let alg = algorithm.name();
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            let claims = json!({
                "iss": "https://id.example", "aud": ["orders"], "sub": "ålice", "iat": now, "exp": now + 600,
                "nested": { "list": [1, 2.5, null, "x"] },
            });

            // Theirs by us.
            let sign = json!({ "library": library, "op": "sign", "alg": alg, "key": keys.private_jwk, "claims": claims });
            let answer = peer.ask(&sign);
            let Some(theirs) = answer["token"].as_str() else {
                assert!(answer["unsupported"].is_string(), "{library} {alg}: {answer}");
                continue;
            };
            assert!(accepts(&app, theirs).await, "{alg} of {library}: {theirs}");

            // Ours by them.
            let ours = keys.signing.sign(&claims).unwrap();
            let mut they_accept = |token: &str| {
                let verify = json!({ "library": library, "op": "verify", "alg": alg, "key": keys.public_jwk, "token": token });
                peer.ask(&verify)["accepted"].as_bool().unwrap()
            };
            assert!(they_accept(&ours), "{alg} by {library}: {ours}");

            // What our issuer issues, by them, with nothing but the key set that it publishes.
            let (issued, published) = issued(&keys.signing);
            if let Some(jwk) = published {
                let verify =
                    json!({ "library": library, "op": "verify", "alg": alg, "key": jwk, "token": issued });
                assert_eq!(peer.ask(&verify)["accepted"], true, "{alg} by {library}: {jwk}");
            }
            let mut they_accept = |token: &str| {
                let verify = json!({ "library": library, "op": "verify", "alg": alg, "key": keys.public_jwk, "token": token });
                peer.ask(&verify)["accepted"].as_bool().unwrap()
            };

            // What they refuse we refuse.
            for token in [theirs, &ours].into_iter().flat_map(mutations) {
                if !they_accept(&token) {
                    assert!(
                        !accepts(&app, &token).await,
                        "{library} {alg}: refused there, accepted here: {token}"
                    );
                }
            }
            spoken.entry(library).or_default().push(alg);
        }
    }
    println!("{spoken:?}");
    // Whatever a new version drops or adds shall be seen.
    assert_eq!(spoken["pyjwt"].len(), Algorithm::ALL.len(), "{spoken:?}");
    assert!(spoken["joserfc"].len() >= 12 && spoken["jose"].len() >= 12, "{spoken:?}");
}
