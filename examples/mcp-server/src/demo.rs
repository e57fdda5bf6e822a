//! A provider for the reader of the example.

use auth_tests_provider::{Provider, ProviderOptions, TokenFormat, install};
use serde_json::json;

const NOT_INSTALLED: &str = "\
This example starts an identity provider, and could not install what that needs, as the lines above say: install Node.js 20 or newer with npm, and
start the example again. Or name a provider of yours, whose tokens for this server have its URL in `aud`:

    cargo run -p mcp-server https://id.example.com
";

pub(crate) struct Demo(Provider);

impl Demo {
    /// A provider of tokens for this resource. What it needs is installed
    /// where it is missing. `None` if it can't be: then what to do is printed.
    pub(crate) fn start(resource: &str) -> Option<Self> {
        if !install() {
            eprint!("{NOT_INSTALLED}");
            return None;
        }
        let client = json!({
            "client_id": "mcp-client",
            "token_endpoint_auth_method": "none",
            "application_type": "native",
            "grant_types": ["authorization_code"],
            "redirect_uris": ["http://127.0.0.1/callback"],
        });
        let scopes = "notes:read notes:write";
        let options = ProviderOptions::new().client(client).resource(
            resource,
            resource,
            scopes,
            TokenFormat::Jwt("ES256"),
        );
        Some(Self(Provider::start(options)))
    }

    pub(crate) fn issuer(&self) -> &str {
        self.0.issuer()
    }
}

/// Prints what to try. The lines that begin with two spaces are for a shell.
pub(crate) fn print_lines(resource: &str, metadata: &str) {
    println!(
        "\nA client is given that URL and nothing else. It is answered 401, and finds the provider by the metadata:\n"
    );
    println!("  curl -i -X POST {resource}");
    println!("  curl -i {metadata}");
    println!(
        "\nThe official SDK does so by itself. It has its user alice log in, calls one tool, is refused another, and asks for a wider token:\n"
    );
    println!("  bash {}/client.sh {resource}", env!("CARGO_MANIFEST_DIR"));
}
