//! A server with TLS.

use auth_runtime::store::{PostgresStore, RevocationLog as _};
use auth_tests_servers::PostgresServer;

use super::{Admin, entry};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn its_certificate_is_verified_with_the_file_that_the_url_names() {
    let server = PostgresServer::start_with_tls();
    let at = |parameters: &str| format!("{}?{parameters}", server.url());
    let named = at(&format!("sslmode=verify-full&sslrootcert={}", server.certificate().display()));
    let store = PostgresStore::connect(&named).await.unwrap();
    store.append(vec![entry(1)]).await.unwrap();
    let plain = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                 WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND NOT ssl";
    assert_eq!(Admin::of(&server).await.number(plain).await, 0, "connections without TLS");

    // No authority of the web has signed it.
    let error = PostgresStore::connect(&at("sslmode=verify-full")).await.unwrap_err().to_string();
    assert!(error.contains("TLS with the server failed") && error.contains("`sslrootcert`"), "{error}");
}
