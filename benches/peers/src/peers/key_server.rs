//! The keys of an issuer over HTTP, for a peer that takes them from nowhere else.

/// The address of this key set, on loopback, served until the process ends.
pub(super) fn serve(jwks: String) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("an option");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            let answer = ([("content-type", "application/json")], jwks);
            let app = axum::Router::new().route("/jwks", axum::routing::get(|| async { answer }));
            axum::serve(listener, app).await.expect("a server");
        });
    });
    format!("http://{address}/jwks")
}
