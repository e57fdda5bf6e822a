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

#[check]
async fn opaque(_: &Principal, _: impl Sized) -> bool {
    true
}

#[check]
async fn lifetimes_are_fine<'p>(_: &'p Principal) -> bool {
    true
}

#[check]
async fn caller_that_may_be_absent(#[cfg(all())] _: &Principal) -> bool {
    true
}

#[check(roles = ["admin"])]
async fn arguments(_: &Principal) -> bool {
    true
}

#[check]
struct NoFunction;

fn main() {}
