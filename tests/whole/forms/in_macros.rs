//! Every form through `macro_rules!`: what it passes on comes in groups that are not written, and with the hygiene of another place.

use auth_runtime::policy::Rule;
use auth_runtime::routing::get;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Principal, Router, auth, check, rule};
use axum::extract::{Path, State};

use crate::support::{get_as, request, send};

/// Name and types of the caller's; the rest of the macro's.
macro_rules! check_of {
    ($name:ident, $caller:ty, $extracted:ty, $answer:ty) => {
        #[check]
        async fn $name(user: $caller, Path(tenant): $extracted, State(()): State<()>) -> $answer {
            user.subject() == tenant
        }
    };
}
check_of!(named_by_caller, &Principal, Path<String>, bool);

/// The name is the macro's, the arguments are the caller's.
macro_rules! check_with {
    ($($argument:pat => $ty:ty),* ; $body:block) => {
        #[check]
        async fn named_by_macro($($argument: $ty),*) -> bool $body
    };
}
check_with!(user => &Principal, Path(tenant) => Path<String>; { user.subject() == tenant });

/// All of it is the macro's.
macro_rules! whole_check {
    () => {
        #[check]
        async fn of_macro(user: &Principal, Path(tenant): Path<String>) -> bool {
            user.subject() == tenant
        }
    };
}
whole_check!();

/// All of it is the caller's.
macro_rules! check_above {
    ($item:item) => {
        #[check]
        $item
    };
}
check_above! {
    async fn item_of_caller(user: &Principal, Path(tenant): Path<String>) -> bool {
        user.subject() == tenant
    }
}

macro_rules! check_tokens {
    ($(#[$meta:meta])* $visibility:vis async fn $($rest:tt)*) => {
        $(#[$meta])*
        #[check]
        $visibility async fn $($rest)*
    };
}
check_tokens! {
    /// Documented.
    pub(super) async fn tokens_of_caller(user: &Principal, Path(tenant): Path<String>) -> bool {
        user.subject() == tenant
    }
}

macro_rules! handler_above {
    ($item:item) => {
        #[auth(check = item_of_caller)]
        $item
    };
}
handler_above! {
    async fn item_handler(user: Principal) -> String {
        user.subject().to_owned()
    }
}

macro_rules! handlers {
    ($($name:ident: $check:path, $user:ty;)*) => {$(
        #[auth(check = $check)]
        async fn $name(user: $user) -> String {
            user.subject().to_owned()
        }
    )*};
}
handlers! {
    of_named_by_caller: named_by_caller, Principal;
    of_named_by_macro: self::named_by_macro, Principal;
    of_whole: of_macro, Principal;
    of_item: crate::forms::in_macros::item_of_caller, Principal;
    of_tokens: tokens_of_caller, Principal;
}

/// Every position of a literal, as a literal and as an expression.
macro_rules! literals {
    ($kind:ident) => {
        mod $kind {
            use super::*;

            macro_rules! rules {
                (
                    $role:$kind, $scope:$kind, $permission:$kind, $acr:$kind, $amr:$kind, $age:$kind, $source:$kind, $text:$kind,
                    $number:$kind, $flag:$kind, $parameter:$kind
                ) => {
                    pub(super) const RULES: [Rule; 6] = [
                        rule!(source = $source, roles = [$role], scopes = [$scope], permissions = [$permission]),
                        rule!(source = [$source, "cookie"], acr = [$acr], amr = [$amr, "otp"]),
                        rule!(max_age = $age),
                        rule!(any(max_age = $age, not(roles = [$role]))),
                        rule!(claims(plan = $text, seats = [$number, -$number], "https://x/y" = $flag)),
                        rule!(claims(tenant = path($parameter))),
                    ];

                    #[auth(max_age = $age, roles = [$role, "b"], claims(plan = [$text, $number, $flag], tenant = path($parameter)))]
                    pub(super) async fn handler() {}
                };
            }
            rules!("a", "b", "c", "d", "e", "5m", "bearer", "pro", 5, true, "tenant");
        }
    };
}
literals!(literal);
literals!(expr);
literals!(tt);

const RULES: [Rule; 6] = [
    rule!(source = "bearer", roles = ["a"], scopes = ["b"], permissions = ["c"]),
    rule!(source = ["bearer", "cookie"], acr = ["d"], amr = ["e", "otp"]),
    rule!(max_age = "5m"),
    rule!(any(max_age = "5m", not(roles = ["a"]))),
    rule!(claims(plan = "pro", seats = [5, -5], "https://x/y" = true)),
    rule!(claims(tenant = path("tenant"))),
];

/// A list as one expression, the name of a claim, rules and paths.
macro_rules! others {
    ($list:expr, $claim:ident, $quoted:literal, $named:path, $($rule:tt)*) => {
        const OTHERS: [Rule; 4] = [
            rule!(roles = $list, source = $list),
            rule!(claims($claim = $list, $quoted = "x")),
            rule!(rule = $named, not($($rule)*)),
            rule!(crate = ::auth_runtime, $($rule)*),
        ];
    };
}
others!(["a", "b"], plan, "https://x/y", self::MEMBERS, any(roles = ["c"], scopes = ["d"]));

const MEMBERS: Rule = rule!(roles = ["member"]);

#[test]
fn literals_mean_what_they_mean_elsewhere() {
    for rules in [literal::RULES, expr::RULES, tt::RULES] {
        assert_eq!(rules, RULES);
    }
    let same = [
        rule!(roles = ["a", "b"], source = ["a", "b"]),
        rule!(claims(plan = ["a", "b"], "https://x/y" = "x")),
        rule!(rule = MEMBERS, not(any(roles = ["c"], scopes = ["d"]))),
        rule!(any(roles = ["c"], scopes = ["d"])),
    ];
    assert_eq!(OTHERS, same);
}

#[tokio::test]
async fn each_check_decides() {
    let test = TestAuth::new();
    let app: axum::Router = Router::new()
        .route("/named/{t}", get(of_named_by_caller))
        .route("/arguments/{t}", get(of_named_by_macro))
        .route("/whole/{t}", get(of_whole))
        .route("/item/{t}", get(of_item))
        .route("/tokens/{t}", get(of_tokens))
        .route("/both/{t}", get(item_handler))
        .route("/literal/{tenant}", get(literal::handler).post(expr::handler).put(tt::handler))
        .finish(test.auth())
        .unwrap();
    let alice = TestUser::new("alice");
    for path in ["named", "arguments", "whole", "item", "tokens", "both"] {
        let reply = get_as(&app, &test, &alice, &format!("/{path}/alice")).await;
        assert_eq!((reply.status.as_u16(), &*reply.body), (200, "alice"), "{path}");
        assert_eq!(get_as(&app, &test, &alice, &format!("/{path}/bob")).await.status.as_u16(), 403, "{path}");
        assert_eq!(
            send(&app, request("GET", &format!("/{path}/alice"), &[])).await.status.as_u16(),
            401,
            "{path}"
        );
    }
}
