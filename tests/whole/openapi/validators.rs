//! Validators that others wrote read the documents: `openapi-spec-validator` and `@redocly/cli`, where `tests/interop/setup` has
//! installed them.

use std::fs;
use std::path::Path;
use std::process::Command;

use auth_runtime::AuthBuilder;
use auth_runtime::openapi::{OAuthFlows, OpenApi, OpenApiVersion};
use auth_runtime::testing::TestAuth;

use super::routes;

/// What the lint looks at: the recommended rules, and that every operation says its security.
const REDOCLY: &str = "extends: [recommended]\nrules:\n  security-defined: error\n  info-license: off\n";

#[test]
fn validators_of_others_find_no_error() {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/interop");
    if !tools.join("validators-ready").exists() {
        println!("not run: `bash tests/interop/setup` installs the validators");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("redocly.yaml"), REDOCLY).unwrap();
    let mut files = Vec::new();
    for (version, name) in [(OpenApiVersion::V3_1, "3.1"), (OpenApiVersion::V3_2, "3.2")] {
        let api = || OpenApi::new("Shop", "1.0.0").version(version).server("https://shop.test/api");
        let plain = TestAuth::with(AuthBuilder::allow_query_tokens);
        let flows = OAuthFlows::authorization_code("https://id.test/authorize", "https://id.test/token");
        let oauth = api().oauth2("bearer", flows);
        for (kind, document) in [
            ("plain", api().describe(&routes().routes(), plain.auth()).unwrap()),
            ("oauth", oauth.describe(&routes().routes(), plain.auth()).unwrap()),
        ] {
            for (ending, text) in [("json", document.to_json()), ("yaml", document.to_yaml())] {
                let file = folder.path().join(format!("{kind}-{name}.{ending}"));
                fs::write(&file, text).unwrap();
                files.push(file);
            }
        }
    }
    let validator = tools.join("python/bin/openapi-spec-validator");
    passes(Command::new(validator).args(&files));
    let redocly = tools.join("node/node_modules/.bin/redocly");
    passes(Command::new(redocly).arg("lint").args(&files).current_dir(folder.path()));

    // And they do find one where there is one.
    let wrong = folder.path().join("wrong.json");
    fs::write(&wrong, fs::read_to_string(&files[0]).unwrap().replace("\"operationId\"", "\"operationID\""))
        .unwrap();
    assert!(
        !Command::new(tools.join("python/bin/openapi-spec-validator"))
            .arg(&wrong)
            .output()
            .unwrap()
            .status
            .success()
    );
    fs::write(&wrong, fs::read_to_string(&files[0]).unwrap().replace("\"bearer\": [", "\"nothing\": ["))
        .unwrap();
    let redocly = tools.join("node/node_modules/.bin/redocly");
    let found = Command::new(redocly).arg("lint").arg(&wrong).current_dir(folder.path()).output().unwrap();
    assert!(!found.status.success(), "{}", String::from_utf8_lossy(&found.stdout));
}

fn passes(command: &mut Command) {
    let output = command.env("REDOCLY_TELEMETRY", "off").env("CI", "true").output().unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{text}");
}
