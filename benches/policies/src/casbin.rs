//! `casbin`: its model of roles, with the owner as a part of the request.

use casbin::{CoreApi as _, DefaultModel, Enforcer, MemoryAdapter, MgmtApi as _};

use crate::case::{Case, OWNER, Rule};

const ROLES: &str = "
[request_definition]
r = sub, act
[policy_definition]
p = sub, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && g(r.sub, p.sub)
";

const OWNER_OR_ROLES: &str = "
[request_definition]
r = sub, owner, act
[policy_definition]
p = sub, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && (r.sub == r.owner || g(r.sub, p.sub))
";

/// The enforcer has its policies and roles before: what is left is the decision.
pub async fn decide(case: &Case) -> Box<dyn Fn() -> bool> {
    let has_owner = case.rule == Rule::OwnerOrAdmin;
    let model =
        DefaultModel::from_str(if has_owner { OWNER_OR_ROLES } else { ROLES }).await.expect("a model");
    let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await.expect("an enforcer");
    for role in case.rule.roles() {
        enforcer.add_policy(vec![role, "purge".to_owned()]).await.expect("a policy");
    }
    let grants: Vec<_> =
        case.caller.roles.iter().map(|role| vec![case.caller.subject.to_owned(), role.clone()]).collect();
    enforcer.add_grouping_policies(grants).await.expect("roles");
    let subject = case.caller.subject;
    Box::new(move || {
        let decided = if has_owner {
            enforcer.enforce((subject, OWNER, "purge"))
        } else {
            enforcer.enforce((subject, "purge"))
        };
        decided.expect("a decision")
    })
}
