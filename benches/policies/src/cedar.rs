//! `cedar-policy`: the roles are parents of the caller, the owner is an attribute of the order.

use std::collections::{HashMap, HashSet};
use std::str::FromStr as _;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression,
};

use crate::case::{Case, OWNER, Rule};

/// Policies, entities and the request are made before: what is left is the decision.
pub fn decide(case: &Case) -> Box<dyn Fn() -> bool> {
    let policies = PolicySet::from_str(&policy(case.rule)).expect("a policy");
    let (caller, order) = (uid("User", case.caller.subject), uid("Order", "1"));
    let roles: HashSet<EntityUid> = case.caller.roles.iter().map(|role| uid("Role", role)).collect();
    let owner = RestrictedExpression::new_entity_uid(uid("User", OWNER));
    let mut entities: Vec<Entity> =
        roles.iter().map(|role| Entity::new_no_attrs(role.clone(), HashSet::new())).collect();
    entities.push(Entity::new_no_attrs(caller.clone(), roles));
    let attributes = HashMap::from([("owner".to_owned(), owner)]);
    entities.push(Entity::new(order.clone(), attributes, HashSet::new()).expect("an entity"));
    let entities = Entities::from_entities(entities, None).expect("entities");
    let request =
        Request::new(caller, uid("Action", "purge"), order, Context::empty(), None).expect("a request");
    let authorizer = Authorizer::new();
    Box::new(move || authorizer.is_authorized(&request, &policies, &entities).decision() == Decision::Allow)
}

fn policy(rule: Rule) -> String {
    let permit = |principal: &str, when: &str| {
        format!("permit(principal{principal}, action == Action::\"purge\", resource){when};\n")
    };
    match rule {
        Rule::OneRole => permit(" in Role::\"admin\"", ""),
        Rule::OneOf64 => {
            let roles: Vec<String> = rule.roles().iter().map(|role| format!("Role::{role:?}")).collect();
            permit("", &format!(" when {{ principal in [{}] }}", roles.join(", ")))
        }
        Rule::OwnerOrAdmin => {
            permit("", " when { resource.owner == principal || principal in Role::\"admin\" }")
        }
    }
}

fn uid(kind: &str, id: &str) -> EntityUid {
    let kind = EntityTypeName::from_str(kind).expect("a name");
    EntityUid::from_type_name_and_id(kind, EntityId::new(id))
}
