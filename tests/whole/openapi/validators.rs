//! Validators that others wrote read the documents.

use std::fs;

use auth_runtime::openapi::{OAuthFlows, OpenApi, OpenApiVersion};
use auth_runtime::testing::TestAuth;
use auth_runtime::{Router, auth, routing::get};
use auth_tests_tools::Tools;

use super::routes;

#[test]
#[ignore = "needs openapi-spec-validator and redocly: bash tests/run"]
fn validators_of_others_find_no_error() {
    let tools = Tools::installed();
    let test = TestAuth::with(|builder| {
        builder.dangerously_allow_query_tokens(auth_runtime::source::Query::new().for_every_read())
    });
    let mut documents = Vec::new();
    for (version, name) in [(OpenApiVersion::V3_1, "3.1"), (OpenApiVersion::V3_2, "3.2")] {
        let api = || OpenApi::new("Shop", "1.0.0").version(version).server("https://shop.test/api");
        let flows = OAuthFlows::authorization_code("https://id.test/authorize", "https://id.test/token");
        // What is legal in axum, and is no place of OpenAPI's as it stands.
        let strange = || {
            let inner = Router::new().route("/x/{id}", get(strange)).route("/{{braces}}", get(strange));
            Router::<()>::new()
                .nest("/o/{id}", inner)
                .nest_service("/f/{rest}", (axum::Router::<()>::new(), auth_runtime::rule!(roles = ["a"])))
                .route("/connect", auth_runtime::routing::on(axum::routing::MethodFilter::CONNECT, strange))
        };
        for (kind, document) in [
            ("plain", api().describe(&routes().routes(), test.auth()).unwrap()),
            ("oauth", api().oauth2("bearer", flows).describe(&routes().routes(), test.auth()).unwrap()),
            ("strange", api().describe(&strange().routes(), test.auth()).unwrap()),
        ] {
            documents.push((format!("{kind}-{name}.json"), document.to_json()));
            documents.push((format!("{kind}-{name}.yaml"), document.to_yaml()));
        }
    }
    tools.assert_valid(documents.iter().map(|(name, text)| (&**name, text.clone())));

    // And they do find one where there is one.
    let good = &documents[0].1;
    let wrong = tools.file("wrong.json", &good.replace("\"operationId\"", "\"operationID\""));
    assert!(!tools.spec_validator(&[wrong]).is_content);
    let wrong = tools.file("wrong.json", &good.replace("\"bearer\": [", "\"nothing\": ["));
    let said = tools.redocly(&[wrong]);
    assert!(!said.is_content, "{}", said.text);
}

#[auth(any(roles = ["on", "no", "Yes", "12:30:45", "1_000", "<<", "=", "0x1F", "~", "2024-06-01", "a # b"]))]
async fn strange() {}

/// Python reads YAML 1.1, where `on` is true, and `12:30:45` a number.
#[test]
#[ignore = "needs PyYAML: bash tests/run"]
fn a_reader_of_yaml_1_1_reads_the_same() {
    let tools = Tools::installed();
    let routes: Router = Router::new().route("/", get(strange));
    let api = OpenApi::new("Shop: the API", "2024-06-01").description("Several\n\nlines: # of it\n");
    let document = api.describe(&routes.routes(), TestAuth::new().auth()).unwrap();
    let file = tools.file("document.yaml", &document.to_yaml());
    fs::write(file.with_extension("json"), document.to_json()).unwrap();
    let said = tools.python(
        "import json, pathlib, sys, yaml; path = pathlib.Path(sys.argv[1])\n\
         read = yaml.safe_load(path.read_text())\n\
         assert read == json.loads(path.with_suffix('.json').read_text()), read",
        &file,
    );
    assert!(said.is_content, "{}", said.text);
}
