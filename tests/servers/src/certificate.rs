//! A certificate for 127.0.0.1, which `openssl` makes.

use std::path::Path;
use std::process::Command;

/// Makes `certificate.pem` and `key.pem` in this folder.
pub(crate) fn make_certificate(folder: &Path) {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ]);
    command.args([
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=server",
        "-keyout",
        "key.pem",
        "-out",
        "certificate.pem",
    ]);
    // rustls takes no certificate of a CA for that of a server.
    command.args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]);
    let said = command.output().unwrap_or_else(|error| panic!("openssl: {error}"));
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}
