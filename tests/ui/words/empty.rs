use auth_runtime::auth;

#[auth(roles = [])]
async fn list() {}

#[auth(source = [])]
async fn source() {}

#[auth(any(), all())]
async fn any_and_all() {}

#[auth(not())]
async fn not() {}

#[auth(claims())]
async fn claims() {}

#[auth(claims(plan = []))]
async fn values_of_a_claim() {}

#[auth(roles = [""], source = " ")]
async fn name() {}

#[auth(claims(tenant = path("")))]
async fn path_parameter() {}

fn main() {}
