//! Policies that cannot be used, policies that fail, and articles that cannot be read.

use std::fs;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

/// A folder with the policies of this example, one of whose files has another text.
fn folder_with(file: &str, text: &str) -> Result<TempDir, BoxError> {
    let folder = tempfile::tempdir()?;
    for entry in fs::read_dir(policies::folder())? {
        let entry = entry?;
        fs::copy(entry.path(), folder.path().join(entry.file_name()))?;
    }
    fs::write(folder.path().join(file), text)?;
    Ok(folder)
}

/// The policies of this example, and others behind them.
fn policies_and(others: &str) -> Result<Policies, BoxError> {
    let policies = fs::read_to_string(policies::folder().join("articles.cedar"))?;
    let folder = folder_with("articles.cedar", &format!("{policies}\n{others}"))?;
    Ok(Policies::load(folder.path())?)
}

#[test]
fn an_error_in_a_file_stops_the_start_and_names_its_line() -> Result<(), BoxError> {
    for (file, text, expected) in [
        (
            "articles.cedar",
            "// 1\n\npermit (principal, action, resource)\nwhen { true }",
            &[":4: unexpected end"][..],
        ),
        (
            "articles.cedar",
            "permit (principal, action, resource)\nwhen {\n  resource.stat == 1 };",
            &[":3: for policy `policy0`, attribute `stat`", "did you mean `state`?"],
        ),
        (
            "articles.cedar",
            "@id(\"typo\")\npermit (principal, action == Action::\"veiw\", resource);",
            &[":2: for policy `typo`, unrecognized action `Action::\"veiw\"`", "did you mean"],
        ),
        (
            "articles.cedar",
            "permit (principal, action, resource)\nwhen { resource.state == State::\"publishd\" };",
            &[":2: for policy `policy0`", "publishd"],
        ),
        // Two errors, two lines.
        (
            "articles.cedar",
            "permit (principal, action, resource) when { resource.a };\nforbid (principal, action, resource) when { resource.b };",
            &[":1: for policy `policy0`", ":2: for policy `policy1`"],
        ),
        // A policy that never applies is a warning of Cedar's, and an error here.
        (
            "articles.cedar",
            "\nforbid (principal, action, resource)\nwhen { resource.owner == resource.team };",
            &[":2: for policy `policy0`", "impossible"],
        ),
        (
            "articles.cedar",
            "@id(\"a\")\npermit (principal, action, resource);\n@id(\"a\")\nforbid (principal, action, resource);",
            &["articles.cedar: duplicate", "`a`"],
        ),
        (
            "schema.cedarschema",
            "entity User;\nentity Article {\n  owner Users,\n};",
            &["schema.cedarschema:3: error parsing schema: unexpected token `Users`"],
        ),
        (
            "schema.cedarschema",
            "entity User;\nentity Article {\n  owner: Usr,\n};",
            &["schema.cedarschema:3: ", "Usr"],
        ),
    ] {
        let folder = folder_with(file, text)?;
        let error = Policies::load(folder.path()).err().ok_or_else(|| format!("accepted: {text}"))?;
        let error = error.to_string();
        assert!(error.contains(&format!("{}", folder.path().join(file).display())), "{text}\n{error}");
        for expected in expected {
            assert!(error.contains(expected), "{expected}\n{text}\n{error}");
        }
    }

    let missing = tempfile::tempdir()?;
    let error = Policies::load(missing.path()).err().ok_or("accepted without files")?.to_string();
    assert!(error.contains("schema.cedarschema: No such file"), "{error}");
    Ok(())
}

/// Cedar leaves out a policy whose evaluation fails. Where that is a `forbid`, Cedar allows: this service does not.
#[tokio::test]
async fn a_policy_that_fails_denies_and_is_logged() -> Result<(), BoxError> {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(
        tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish(),
    );
    let overflow = "when { 9223372036854775807 + 1 > 0 };";
    for (scope, read, write) in [
        ("principal, action == Action::\"edit\", resource", 200, 403),
        ("principal, action, resource", 404, 404),
    ] {
        let policies = policies_and(&format!("@id(\"overflow\") forbid ({scope}) {overflow}"))?;
        let service = Service::start_with(policies).await?;
        for (method, status) in [(Method::GET, read), (Method::PUT, write)] {
            // Without that policy carol may do both.
            let answer = service.ask("carol", method.clone(), "/articles/2").await?;
            assert_eq!(answer.status, status, "{method}, {scope}");
            assert!(!answer.body.contains("overflow"), "{}", answer.body);
            if status == 404 {
                assert_eq!(answer, service.ask("carol", method, "/articles/99").await?);
            }
        }
        assert_eq!(service.app.articles.load(2)?.map(|article| article.version), Some(1), "{scope}");
    }
    let log = log.text();
    assert!(log.contains("ERROR") && log.contains("Cedar failed") && log.contains("`overflow`"), "{log}");
    Ok(())
}

#[tokio::test]
async fn articles_that_cannot_be_read_are_answered_503_without_details() -> Result<(), BoxError> {
    let service = Service::start().await?;
    let articles = Arc::clone(&service.app.articles);
    let writer = std::thread::spawn(move || {
        let _lock = articles.0.write();
        std::panic::resume_unwind(Box::new("a writer ends halfway"));
    });
    assert!(writer.join().is_err());
    for method in [Method::GET, Method::PUT] {
        let answer = service.ask("alice", method, "/articles/2").await?;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(!answer.body.contains("writer"), "{}", answer.body);
    }
    assert_eq!(service.ask("anonymous", Method::GET, "/articles/2").await?.status, StatusCode::UNAUTHORIZED);
    Ok(())
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
