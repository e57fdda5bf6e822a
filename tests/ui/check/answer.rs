use auth_runtime::{Principal, check};

#[check]
async fn answers_text(_: &Principal) -> &'static str {
    "yes"
}

struct NoDisplay;

#[check]
async fn error_without_display(_: &Principal) -> Result<bool, NoDisplay> {
    Ok(true)
}

fn main() {}
