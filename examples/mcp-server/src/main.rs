//! Serves the tools on this machine: `cargo run -p mcp-server`. It starts a provider, and prints what to try. For the users of a provider of
//! yours, and then none is started: `cargo run -p mcp-server https://id.example.com`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it prints to the terminal of the person who started it"
)]

mod demo;

use std::error::Error;
use std::process::ExitCode;

use auth_runtime::Auth;
use auth_runtime::verify::TrustedIssuer;
use tokio::net::TcpListener;

use self::demo::{Demo, print_lines};

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let address = listener.local_addr()?;
    let resource = format!("http://{address}/mcp");

    let named = std::env::args().nth(1);
    // It ends with this function.
    let demo = if named.is_none() { Demo::start(&resource) } else { None };
    let Some(provider) = named.or_else(|| demo.as_ref().map(|demo| demo.issuer().to_owned())) else {
        return Ok(ExitCode::FAILURE);
    };

    let auth = Auth::builder().issuer(TrustedIssuer::discover(&*provider).audience(&*resource)).build()?;
    auth.start().await?; // the provider's keys are fetched: an error if it is down
    let app = mcp_server::app(&auth, &resource)?;
    println!("The provider is {provider}, and the server {resource}. Ctrl-C ends both.");
    if demo.is_some() {
        print_lines(&resource, &format!("http://{address}/.well-known/oauth-protected-resource/mcp"));
    }
    let end = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, app).with_graceful_shutdown(end).await?;
    Ok(ExitCode::SUCCESS)
}
