//! Serves the tools on this machine, for the users of an identity provider: `cargo run -p mcp-server https://id.example.com`.

use std::error::Error;

use auth_runtime::Auth;
use auth_runtime::verify::TrustedIssuer;
use tokio::net::TcpListener;

const RESOURCE: &str = "http://127.0.0.1:3000/mcp";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let provider =
        std::env::args().nth(1).ok_or("pass the URL of the identity provider: its issuer identifier")?;
    let auth = Auth::builder().issuer(TrustedIssuer::discover(provider).audience(RESOURCE)).build()?;
    auth.start().await?;
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, mcp_server::app(&auth, RESOURCE)?).await?;
    Ok(())
}
