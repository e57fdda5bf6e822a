//! Which error a lock ends in, and its cause.

use std::error::Error as _;
use std::io::ErrorKind;

use auth_runtime::access::{AccessTable, LockError};
use auth_runtime::routing::get;
use auth_runtime::testing::TestAuth;
use auth_runtime::{Router, auth};

#[auth(roles = ["admin"])]
async fn admins() {}

fn table() -> AccessTable {
    let routes: Router = Router::new().route("/x", get(admins));
    routes.routes().table(TestAuth::new().auth())
}

#[test]
fn an_error_of_the_file_has_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("access.lock");
    let error = table().check_lock(&missing).unwrap_err();
    let cause = error.source().unwrap().downcast_ref::<std::io::Error>().unwrap();
    assert_eq!(cause.kind(), ErrorKind::NotFound);
    assert!(matches!(&error, LockError::NotRead { path, .. } if *path == missing), "{error}");

    let error = table().write_lock(&missing.join("in a file that is no folder")).unwrap_err();
    assert!(matches!(&error, LockError::NotWritten { .. }), "{error}");
    assert!(error.source().unwrap().is::<std::io::Error>());
}

#[test]
fn an_error_of_the_content_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("access.lock");
    let check = |text: &str| {
        std::fs::write(&lock, text).unwrap();
        table().check_lock(&lock).unwrap_err()
    };
    let error = check("{\"version\": 1, ");
    assert!(matches!(&error, LockError::Malformed { path, .. } if *path == lock), "{error}");
    assert!(error.source().unwrap().downcast_ref::<serde_json::Error>().unwrap().is_eof());

    let error = check("{\"version\": 2}");
    assert!(matches!(&error, LockError::Invalid { .. }) && error.source().is_none(), "{error}");
    let expected =
        "its format has version 2, and this library reads version 1. Restore it from the last commit";
    assert!(error.to_string().contains(expected), "{error}");

    table().write_lock(&lock).unwrap();
    let text = std::fs::read_to_string(&lock).unwrap();
    let route = text.lines().find(|line| line.contains("\"/x\"")).unwrap();
    let error = check(&text.replace(route, &format!("{route},\n{route}")));
    assert!(error.to_string().contains("the route GET /x is there twice, as after a merge"), "{error}");
}

/// A table that is put together by hand may have routes that no router can serve. It is not written over a lock.
#[test]
fn a_table_that_no_router_can_serve_is_not_locked() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("access.lock");
    table().write_lock(&lock).unwrap();
    let mut table = table();
    table.routes.push(table.routes[0].clone());
    table.routes[1].path = "/{unclosed".to_owned();
    for error in [table.write_lock(&lock).unwrap_err(), table.check_lock(&lock).unwrap_err()] {
        assert!(matches!(&error, LockError::NotLockable { .. }), "{error}");
        assert!(error.to_string().contains("the path /{unclosed can't be served"), "{error}");
    }
    assert!(!std::fs::read_to_string(&lock).unwrap().contains("unclosed"));
}
