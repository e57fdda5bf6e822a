use auth_runtime::routing::{get, post};
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use auth_runtime::{Auth, Principal, Router, auth};

#[auth(public)]
async fn health() -> &'static str {
    "ok"
}

#[auth(any(roles = ["admin"], scopes = ["reports:write"]))]
async fn publish(user: Principal) -> String {
    format!("Published by {}.", user.subject())
}

fn routes() -> Router {
    Router::new().route("/health", get(health)).route("/reports", post(publish))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = Key::secret(Algorithm::HS256, std::env::var("TOKEN_KEY")?);
    let issuer = TrustedIssuer::new("https://id.example.com").audience("reports").key(key);
    let auth = Auth::builder().issuer(issuer).build()?;
    println!("{}", routes().routes().table(&auth));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, routes().finish(&auth)?).await?)
}
