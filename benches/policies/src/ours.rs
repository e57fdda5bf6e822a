//! This library: a rule that is decided for a caller whose token was verified before, as a request with a known token is.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime::policy::Rule as OurRule;
use auth_runtime::session::SigningKey;
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use auth_runtime::{Auth, Router, rule};
use serde_json::json;

use crate::case::{Case, OWNER, Rule};

const ONE_ROLE: OurRule = rule!(roles = ["admin"]);

const ONE_OF_64: OurRule = rule!(
    roles = [
        "role0", "role1", "role2", "role3", "role4", "role5", "role6", "role7", "role8", "role9", "role10",
        "role11", "role12", "role13", "role14", "role15", "role16", "role17", "role18", "role19", "role20",
        "role21", "role22", "role23", "role24", "role25", "role26", "role27", "role28", "role29", "role30",
        "role31", "role32", "role33", "role34", "role35", "role36", "role37", "role38", "role39", "role40",
        "role41", "role42", "role43", "role44", "role45", "role46", "role47", "role48", "role49", "role50",
        "role51", "role52", "role53", "role54", "role55", "role56", "role57", "role58", "role59", "role60",
        "role61", "role62", "role63",
    ]
);

/// `Auth::require`, which asks the revocations and the times of the token as well.
pub async fn decide(case: &Case) -> Box<dyn Fn() -> bool> {
    let key = SigningKey::secret(Algorithm::HS256, &[7; 32]).expect("a key");
    let issuer = TrustedIssuer::new("https://id.example.com").audience("shop").key(key.verifying_key());
    let auth = Auth::builder().issuer(issuer).max_token_bytes(64 * 1024).build().expect("an engine");
    let rule = match case.rule {
        Rule::OneRole | Rule::OwnerOrAdmin => &ONE_ROLE,
        Rule::OneOf64 => &ONE_OF_64,
    };
    let app: axum::Router = Router::new().declares("purge", rule).finish(&auth).expect("a router");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let claims = json!({
        "iss": "https://id.example.com", "aud": "shop", "sub": case.caller.subject, "iat": now, "exp": now + 3600,
        "jti": "1", "roles": case.caller.roles,
    });
    let caller = auth.verify(&key.sign(&claims).expect("a token")).await.expect("a caller");
    let app = Arc::new(app);
    let has_owner = case.rule == Rule::OwnerOrAdmin;
    Box::new(move || {
        // The rules of an engine are those of its routers.
        let _ = &app;
        (has_owner && caller.subject() == OWNER) || auth.require(&caller, rule).is_ok()
    })
}
