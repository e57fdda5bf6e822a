use auth_runtime::{Router, routing::{MethodFilter, MethodRouter}};

fn main() {
    let service = axum::Router::<()>::new();
    let _: Router = Router::new()
        .route_service("/1", axum::routing::any(|| async {}))
        .nest_service("/2", service.clone())
        .route("/3", MethodRouter::new().on_service(MethodFilter::GET, service.clone()))
        .fallback_service(service);
    let _: Router = Router::new().fallback(axum::routing::any(|| async {}));
    let _: Router = Router::new().fallback((|| async {}, auth_runtime::rule!(public)));
    let _: Router = Router::new().method_not_allowed_fallback(|| async {});
}
