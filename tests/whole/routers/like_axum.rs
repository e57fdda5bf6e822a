//! The guarded router answers as axum's does: random routers of each kind are asked for odd paths with odd methods.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};

use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{auth, routing, rule};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodFilter;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{Reply, send};

/// Which handler answered, and what it saw of the request.
fn echo(id: u8, method: &Method, uri: &Uri) -> String {
    format!("{id}: {method} {uri}")
}

macro_rules! handlers {
    ($($plain:ident $guarded:ident $id:literal),*) => {
        $(
            async fn $plain(method: Method, uri: Uri) -> String {
                echo($id, &method, &uri)
            }

            #[auth(public)]
            async fn $guarded(method: Method, uri: Uri) -> String {
                echo($id, &method, &uri)
            }
        )*

        /// Calls a function with the handler of a number.
        macro_rules! plain {
            ($number:expr, $handler:ident => $call:expr) => {
                match $number {
                    $($id => { let $handler = $plain; $call })*
                    _ => unreachable!(),
                }
            };
        }

        macro_rules! guarded {
            ($number:expr, $handler:ident => $call:expr) => {
                match $number {
                    $($id => { let $handler = $guarded; $call })*
                    _ => unreachable!(),
                }
            };
        }
    };
}

handlers!(plain_0 guarded_0 0, plain_1 guarded_1 1, plain_2 guarded_2 2);

async fn serve(id: u8, request: Request) -> Result<Response, Infallible> {
    Ok(echo(id, request.method(), request.uri()).into_response())
}

/// A service of a number, which is of a type that can't be named.
macro_rules! service {
    ($id:expr) => {{
        let id = $id;
        tower::service_fn(move |request: Request| serve(id, request))
    }};
}

macro_rules! tagged {
    ($id:expr) => {{
        let id = $id;
        axum::middleware::map_response(move |mut response: Response| async move {
            response.headers_mut().append("x-layer", id.to_string().parse().unwrap());
            response
        })
    }};
}

/// One way to build routers.
trait Kit {
    type Router;
    type Methods;

    fn methods() -> Self::Methods;
    fn any(id: u8) -> Self::Methods;
    fn on(methods: Self::Methods, filter: MethodFilter, id: u8) -> Self::Methods;
    fn on_service(methods: Self::Methods, filter: MethodFilter, id: u8) -> Self::Methods;
    fn method_fallback(methods: Self::Methods, id: u8) -> Self::Methods;
    fn method_layer(methods: Self::Methods, id: u8) -> Self::Methods;

    fn router() -> Self::Router;
    fn route(router: Self::Router, path: &str, methods: Self::Methods) -> Self::Router;
    fn route_service(router: Self::Router, path: &str, id: u8) -> Self::Router;
    fn nest(router: Self::Router, path: &str, inner: Self::Router) -> Self::Router;
    fn nest_service(router: Self::Router, path: &str, id: u8) -> Self::Router;
    fn merge(router: Self::Router, other: Self::Router) -> Self::Router;
    fn fallback(router: Self::Router, id: u8) -> Self::Router;
    fn fallback_methods(router: Self::Router, methods: Self::Methods) -> Self::Router;
    fn fallback_service(router: Self::Router, id: u8) -> Self::Router;
    fn not_allowed(router: Self::Router, id: u8) -> Self::Router;
    fn reset_fallback(router: Self::Router) -> Self::Router;
    fn without_checks(router: Self::Router) -> Self::Router;
    fn layer(router: Self::Router, id: u8) -> Self::Router;
    fn route_layer(router: Self::Router, id: u8) -> Self::Router;
    fn has_routes(router: &Self::Router) -> bool;
    fn finish(router: Self::Router, test: &TestAuth) -> axum::Router;
}

/// What is the same text for all kinds of routers.
macro_rules! same {
    () => {
        fn methods() -> Self::Methods {
            Self::Methods::new()
        }
        fn router() -> Self::Router {
            Self::Router::new()
        }
        fn nest(router: Self::Router, path: &str, inner: Self::Router) -> Self::Router {
            router.nest(path, inner)
        }
        fn merge(router: Self::Router, other: Self::Router) -> Self::Router {
            router.merge(other)
        }
        fn reset_fallback(router: Self::Router) -> Self::Router {
            router.reset_fallback()
        }
        fn without_checks(router: Self::Router) -> Self::Router {
            router.without_v07_checks()
        }
        fn layer(router: Self::Router, id: u8) -> Self::Router {
            router.layer(tagged!(id))
        }
        fn route_layer(router: Self::Router, id: u8) -> Self::Router {
            router.route_layer(tagged!(id))
        }
        fn method_layer(methods: Self::Methods, id: u8) -> Self::Methods {
            methods.layer(tagged!(id))
        }
        fn has_routes(router: &Self::Router) -> bool {
            router.has_routes()
        }
    };
}

/// axum's own.
struct Plain;

impl Kit for Plain {
    type Router = axum::Router;
    type Methods = axum::routing::MethodRouter;

    same!();

    fn any(id: u8) -> Self::Methods {
        plain!(id, handler => axum::routing::any(handler))
    }
    fn on(methods: Self::Methods, filter: MethodFilter, id: u8) -> Self::Methods {
        plain!(id, handler => methods.on(filter, handler))
    }
    fn on_service(methods: Self::Methods, filter: MethodFilter, id: u8) -> Self::Methods {
        methods.on_service(filter, service!(id))
    }
    fn method_fallback(methods: Self::Methods, id: u8) -> Self::Methods {
        plain!(id, handler => methods.fallback(handler))
    }
    fn route(router: Self::Router, path: &str, methods: Self::Methods) -> Self::Router {
        router.route(path, methods)
    }
    fn route_service(router: Self::Router, path: &str, id: u8) -> Self::Router {
        router.route_service(path, service!(id))
    }
    fn nest_service(router: Self::Router, path: &str, id: u8) -> Self::Router {
        router.nest_service(path, service!(id))
    }
    fn fallback(router: Self::Router, id: u8) -> Self::Router {
        plain!(id, handler => router.fallback(handler))
    }
    fn fallback_methods(router: Self::Router, methods: Self::Methods) -> Self::Router {
        router.fallback(methods)
    }
    fn fallback_service(router: Self::Router, id: u8) -> Self::Router {
        router.fallback_service(service!(id))
    }
    fn not_allowed(router: Self::Router, id: u8) -> Self::Router {
        plain!(id, handler => router.method_not_allowed_fallback(handler))
    }
    fn finish(router: Self::Router, _: &TestAuth) -> axum::Router {
        router
    }
}

/// Handlers that have the attribute.
struct Attribute;

impl Kit for Attribute {
    type Router = auth_runtime::Router;
    type Methods = routing::MethodRouter;

    same!();

    fn any(id: u8) -> Self::Methods {
        guarded!(id, handler => routing::any(handler))
    }
    fn on(methods: Self::Methods, filter: MethodFilter, id: u8) -> Self::Methods {
        guarded!(id, handler => methods.on(filter, handler))
    }
    fn on_service(methods: Self::Methods, filter: MethodFilter, id: u8) -> Self::Methods {
        methods.on_service(filter, (service!(id), rule!(public)))
    }
    fn method_fallback(methods: Self::Methods, id: u8) -> Self::Methods {
        guarded!(id, handler => methods.fallback(handler))
    }
    fn route(router: Self::Router, path: &str, methods: Self::Methods) -> Self::Router {
        router.route(path, methods)
    }
    fn route_service(router: Self::Router, path: &str, id: u8) -> Self::Router {
        router.route_service(path, (service!(id), rule!(public)))
    }
    fn nest_service(router: Self::Router, path: &str, id: u8) -> Self::Router {
        router.nest_service(path, (service!(id), rule!(public)))
    }
    fn fallback(router: Self::Router, id: u8) -> Self::Router {
        guarded!(id, handler => router.fallback(handler))
    }
    fn fallback_methods(router: Self::Router, methods: Self::Methods) -> Self::Router {
        router.fallback(methods)
    }
    fn fallback_service(router: Self::Router, id: u8) -> Self::Router {
        router.fallback_service((service!(id), rule!(public)))
    }
    fn not_allowed(router: Self::Router, id: u8) -> Self::Router {
        guarded!(id, handler => router.method_not_allowed_fallback(handler))
    }
    fn finish(router: Self::Router, test: &TestAuth) -> axum::Router {
        router.finish(test.auth()).unwrap()
    }
}

/// axum's method routers with a rule beside them.
struct Beside;

impl Kit for Beside {
    type Router = auth_runtime::Router;
    type Methods = axum::routing::MethodRouter;

    same!();

    fn any(id: u8) -> Self::Methods {
        Plain::any(id)
    }
    fn on(methods: Self::Methods, filter: MethodFilter, id: u8) -> Self::Methods {
        Plain::on(methods, filter, id)
    }
    fn on_service(methods: Self::Methods, filter: MethodFilter, id: u8) -> Self::Methods {
        Plain::on_service(methods, filter, id)
    }
    fn method_fallback(methods: Self::Methods, id: u8) -> Self::Methods {
        Plain::method_fallback(methods, id)
    }
    fn route(router: Self::Router, path: &str, methods: Self::Methods) -> Self::Router {
        router.route(path, (methods, rule!(public)))
    }
    fn route_service(router: Self::Router, path: &str, id: u8) -> Self::Router {
        Attribute::route_service(router, path, id)
    }
    fn nest_service(router: Self::Router, path: &str, id: u8) -> Self::Router {
        Attribute::nest_service(router, path, id)
    }
    fn fallback(router: Self::Router, id: u8) -> Self::Router {
        router.fallback((plain!(id, handler => axum::routing::any(handler)), rule!(public)))
    }
    fn fallback_methods(router: Self::Router, methods: Self::Methods) -> Self::Router {
        router.fallback((methods, rule!(public)))
    }
    fn fallback_service(router: Self::Router, id: u8) -> Self::Router {
        Attribute::fallback_service(router, id)
    }
    fn not_allowed(router: Self::Router, id: u8) -> Self::Router {
        Attribute::not_allowed(router, id)
    }
    fn finish(router: Self::Router, test: &TestAuth) -> axum::Router {
        Attribute::finish(router, test)
    }
}

/// The methods of a method router.
#[derive(Clone, Debug)]
struct Methods {
    any: Option<u8>,
    handlers: Vec<(MethodFilter, u8)>,
    service: Option<(MethodFilter, u8)>,
    fallback: Option<u8>,
    layer: Option<u8>,
}

impl Methods {
    fn build<K: Kit>(&self) -> K::Methods {
        let mut methods = self.any.map_or_else(K::methods, K::any);
        for (filter, id) in &self.handlers {
            methods = K::on(methods, *filter, *id);
        }
        if let Some((filter, id)) = self.service {
            methods = K::on_service(methods, filter, id);
        }
        if let Some(id) = self.fallback {
            methods = K::method_fallback(methods, id);
        }
        self.layer.into_iter().fold(methods, K::method_layer)
    }
}

/// What a router is told.
#[derive(Clone, Debug)]
enum Step {
    Route(String, Methods),
    RouteService(String, u8),
    Nest(String, Vec<Step>),
    NestService(String, u8),
    Merge(Vec<Step>),
    Fallback(u8),
    FallbackMethods(Methods),
    FallbackService(u8),
    NotAllowed(u8),
    ResetFallback,
    WithoutChecks,
    Layer(u8),
    RouteLayer(u8),
}

fn build<K: Kit>(steps: &[Step]) -> K::Router {
    steps.iter().fold(K::router(), |router, step| match step {
        Step::Route(path, methods) => K::route(router, path, methods.build::<K>()),
        Step::RouteService(path, id) => K::route_service(router, path, *id),
        Step::Nest(path, steps) => K::nest(router, path, build::<K>(steps)),
        Step::NestService(path, id) => K::nest_service(router, path, *id),
        Step::Merge(steps) => K::merge(router, build::<K>(steps)),
        Step::Fallback(id) => K::fallback(router, *id),
        Step::FallbackMethods(methods) => K::fallback_methods(router, methods.build::<K>()),
        Step::FallbackService(id) => K::fallback_service(router, *id),
        Step::NotAllowed(id) => K::not_allowed(router, *id),
        Step::ResetFallback => K::reset_fallback(router),
        Step::WithoutChecks => K::without_checks(router),
        Step::Layer(id) => K::layer(router, *id),
        Step::RouteLayer(id) => K::route_layer(router, *id),
    })
}

/// The finished router, and whether it has routes; `None` if it panics.
fn finished<K: Kit>(steps: &[Step], test: &TestAuth) -> Option<(axum::Router, bool)> {
    catch_unwind(AssertUnwindSafe(|| {
        let router = build::<K>(steps);
        let has_routes = K::has_routes(&router);
        (K::finish(router, test), has_routes)
    }))
    .ok()
}

const FILTERS: [MethodFilter; 8] = [
    MethodFilter::GET,
    MethodFilter::HEAD,
    MethodFilter::POST,
    MethodFilter::DELETE,
    MethodFilter::OPTIONS,
    MethodFilter::TRACE,
    MethodFilter::CONNECT,
    MethodFilter::PUT.or(MethodFilter::PATCH),
];

fn id() -> impl Strategy<Value = u8> {
    0_u8..3
}

fn methods() -> impl Strategy<Value = Methods> {
    let one = || (select(&FILTERS), id());
    let rarely = |probability| prop::option::weighted(probability, id());
    let handlers = prop::collection::vec(one(), 0..3);
    (rarely(0.2), handlers, prop::option::weighted(0.2, one()), rarely(0.2), rarely(0.1)).prop_map(
        |(any, handlers, service, fallback, layer)| Methods { any, handlers, service, fallback, layer },
    )
}

/// Mostly well-formed.
fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        30 => select(&[
            "/", "/a", "/a/", "/b", "/a/b", "/a/{x}", "/{x}", "/{x}/b", "/{*r}", "/a/{*r}", "/a/{x}/", "/a-{x}", "/{{a}}",
        ][..]),
        1 => select(&["", "a", "/:a", "/*a", "/{", "/{*r}/a", "/a b", "//"][..]),
    ]
    .prop_map(str::to_owned)
}

fn step() -> impl Strategy<Value = Step> {
    let leaf = prop_oneof![
        12 => (path(), methods()).prop_map(|(path, methods)| Step::Route(path, methods)),
        3 => (path(), id()).prop_map(|(path, id)| Step::RouteService(path, id)),
        2 => (path(), id()).prop_map(|(path, id)| Step::NestService(path, id)),
        1 => id().prop_map(Step::Fallback),
        1 => methods().prop_map(Step::FallbackMethods),
        1 => id().prop_map(Step::FallbackService),
        3 => id().prop_map(Step::NotAllowed),
        1 => Just(Step::ResetFallback),
        1 => Just(Step::WithoutChecks),
        1 => id().prop_map(Step::Layer),
        1 => id().prop_map(Step::RouteLayer),
    ];
    leaf.prop_recursive(2, 12, 4, |step| {
        let steps = || prop::collection::vec(step.clone(), 1..4);
        prop_oneof![
            3 => (path(), steps()).prop_map(|(path, steps)| Step::Nest(path, steps)),
            1 => steps().prop_map(Step::Merge),
        ]
    })
}

fn asked() -> impl Strategy<Value = (&'static str, String)> {
    let methods = select(
        &["GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"][..],
    );
    let segment =
        select(&["", "a", "a", "b", "q", "a-q", "a%2Fb", "%C3%BC", ":a", "*a", "..", "{a}", "%ff"][..]);
    let path = prop::collection::vec(segment, 0..4).prop_map(|segments| format!("/{}", segments.join("/")));
    let target = prop_oneof![
        20 => path.clone(),
        2 => path.clone().prop_map(|path| format!("{path}?a=/b")),
        1 => path.prop_map(|path| format!("http://localhost:3000{path}")),
        1 => select(&["*", "localhost:3000"][..]).prop_map(str::to_owned),
    ];
    (methods, target)
}

async fn ask(app: &axum::Router, method: &str, target: &str, bearer: Option<&str>) -> Reply {
    let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(target);
    if let Some(bearer) = bearer {
        request = request.header("authorization", bearer);
    }
    let mut reply = send(app, request.body(Body::empty()).unwrap()).await;
    // axum names a method twice where two method routers are merged.
    if let Some(allow) = reply.headers.get("allow") {
        let mut methods: Vec<&str> = Vec::new();
        let all = allow.to_str().unwrap().split(',');
        all.for_each(|method| methods.extend((!methods.contains(&method)).then_some(method)));
        let once = methods.join(",").parse().unwrap();
        reply.headers.insert("allow", once);
    }
    reply
}

#[test]
fn random_routers_answer_as_axums_do() {
    let test = TestAuth::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let given = (prop::collection::vec(step(), 1..6), prop::collection::vec(asked(), 40));
    let seen = std::cell::Cell::new([0_usize; 4]);
    auth_tests_random::runner(400)
        .run(&given, |(steps, asked)| {
            let mut counts = seen.get();
            let plain = finished::<Plain>(&steps, &test);
            let attribute = finished::<Attribute>(&steps, &test);
            let beside = finished::<Beside>(&steps, &test);
            prop_assert_eq!(plain.is_none(), attribute.is_none(), "the attribute panics otherwise than axum");
            prop_assert_eq!(plain.is_none(), beside.is_none(), "a rule beside panics otherwise than axum");
            let (Some((plain, has_routes)), Some(attribute), Some(beside)) = (plain, attribute, beside)
            else {
                counts[0] += 1;
                seen.set(counts);
                return Ok(());
            };
            for (method, target) in &asked {
                let expected = runtime.block_on(ask(&plain, method, target, None));
                counts[match expected.status.as_u16() {
                    200 => 1,
                    404 => 2,
                    _ => 3,
                }] += 1;
                for (name, (app, has)) in [("attribute", &attribute), ("beside", &beside)] {
                    prop_assert_eq!(*has, has_routes, "{}", name);
                    let reply = runtime.block_on(ask(app, method, target, None));
                    prop_assert_eq!(&reply.status, &expected.status, "{} {} {}", name, method, target);
                    prop_assert_eq!(&reply.headers, &expected.headers, "{} {} {}", name, method, target);
                    prop_assert_eq!(&reply.body, &expected.body, "{} {} {}", name, method, target);
                }
            }
            seen.set(counts);
            Ok(())
        })
        .unwrap();
    let [panics, found, not_found, not_allowed] = seen.get();
    assert!(panics > 10 && found > 60 && not_found > 100 && not_allowed > 20, "{:?}", seen.get());
}

/// Where a router requires a caller, an anonymous one learns nothing, not even which methods a path has; and another one gets what axum
/// answers.
#[test]
fn random_routers_that_require_a_caller_answer_as_axums_do_after_the_gate() {
    let test = TestAuth::new();
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice")));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let given = (prop::collection::vec(step(), 1..6), prop::collection::vec(asked(), 30));
    let seen = std::cell::Cell::new([0_usize; 3]);
    auth_tests_random::runner(300)
        .run(&given, |(steps, asked)| {
            let Some((plain, _)) = finished::<Plain>(&steps, &test) else { return Ok(()) };
            let required =
                |router: auth_runtime::Router| router.require(rule!()).finish(test.auth()).unwrap();
            let attribute = required(build::<Attribute>(&steps));
            let beside = required(build::<Beside>(&steps));
            let mut counts = seen.get();
            for (method, target) in &asked {
                let expected = runtime.block_on(ask(&plain, method, target, None));
                counts[match expected.status.as_u16() {
                    200 => 0,
                    404 => 1,
                    _ => 2,
                }] += 1;
                for (name, app) in [("attribute", &attribute), ("beside", &beside)] {
                    let mut reply = runtime.block_on(ask(app, method, target, Some(&bearer)));
                    reply.headers.remove("vary");
                    prop_assert_eq!(&reply.status, &expected.status, "{} {} {}", name, method, target);
                    prop_assert_eq!(&reply.headers, &expected.headers, "{} {} {}", name, method, target);
                    prop_assert_eq!(&reply.body, &expected.body, "{} {} {}", name, method, target);

                    let anonymous = runtime.block_on(ask(app, method, target, None));
                    let status = if expected.status == 404 { 404 } else { 401 };
                    prop_assert_eq!(anonymous.status, status, "{} {} {}", name, method, target);
                    // axum's method routers say it themselves.
                    let says = anonymous.headers.contains_key("allow");
                    prop_assert!(
                        !says || name == "beside" || status == 404,
                        "{} {} {}",
                        name,
                        method,
                        target
                    );
                }
            }
            seen.set(counts);
            Ok(())
        })
        .unwrap();
    let [found, not_found, not_allowed] = seen.get();
    assert!(found > 60 && not_found > 100 && not_allowed > 20, "{:?}", seen.get());
}
