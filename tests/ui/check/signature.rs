use auth_runtime::{Principal, check};

#[check]
fn not_async(_: &Principal) -> bool {
    true
}

#[check]
async fn no_caller() -> bool {
    true
}

#[check]
async fn caller_by_value(_: Principal) -> bool {
    true
}

#[check]
async fn generic<T: Sync>(_: &Principal) -> bool {
    true
}

#[check(roles = ["admin"])]
async fn arguments(_: &Principal) -> bool {
    true
}

#[check]
struct NoFunction;

fn main() {}
