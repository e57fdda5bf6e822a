//! Asks Cedar, and denies whatever Cedar does not clearly allow.

mod files;

use std::path::{Path, PathBuf};

use auth_runtime::Principal;
use auth_runtime::session::BoxError;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request, Response, Schema,
};
use serde_json::json;

pub(crate) use self::files::InvalidPolicies;
use crate::articles::Article;

/// What a caller wants to do with an article: an action of the schema.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    View,
    Edit,
}

impl Action {
    fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Edit => "edit",
        }
    }
}

/// The policies, with their schema.
pub(crate) struct Policies {
    schema: Schema,
    policies: PolicySet,
}

/// The folder of this example's policies.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

impl Policies {
    /// Reads the policies of a folder.
    ///
    /// # Errors
    /// If a file cannot be read or parsed, or if the policies do not fit the schema.
    pub(crate) fn load(folder: &Path) -> Result<Self, InvalidPolicies> {
        let (schema, policies) = files::read(folder)?;
        Ok(Self { schema, policies })
    }

    /// Whether the caller may do this to the article. The decision is logged, with the policies that it is based on.
    ///
    /// # Errors
    /// If it may not. The error is the reason, for logs. Where Cedar fails, the caller may not, either: Cedar leaves out a policy
    /// whose evaluation fails, also a `forbid`, and would allow what only that one forbids.
    pub(crate) fn decide(&self, user: &Principal, action: Action, article: &Article) -> Result<(), String> {
        let (subject, article_id, action_name) = (user.subject(), article.id, action.as_str());
        match self.ask(user, action, article).and_then(|response| read_response(&response)) {
            Ok((Decision::Allow, policies)) => {
                tracing::info!(subject, article_id, action_name, policies, "Cedar allows");
                Ok(())
            }
            Ok((Decision::Deny, policies)) => {
                tracing::info!(subject, article_id, action_name, policies, "Cedar denies");
                Err(format!("Cedar denies `{action_name}`: {policies}"))
            }
            Err(error) => {
                tracing::error!(subject, article_id, action_name, error, "Cedar failed, and that denies");
                Err(format!("Cedar failed: {error}"))
            }
        }
    }

    fn ask(&self, user: &Principal, action: Action, article: &Article) -> Result<Response, BoxError> {
        // One issuer is trusted here. With several, the id of a user has its issuer in it, too.
        let principal = json!({ "type": "User", "id": user.subject() });
        let roles = user.roles().map(|role| json!({ "type": "Role", "id": role }));
        let team = user.claim("team").and_then(|team| team.as_str());
        let team = team.map(|team| json!({ "type": "Team", "id": team }));
        let resource = json!({ "type": "Article", "id": article.id.to_string() });
        let entities = json!([
            { "uid": principal, "attrs": {}, "parents": roles.chain(team).collect::<Vec<_>>() },
            {
                "uid": resource,
                "attrs": {
                    "owner": { "type": "User", "id": article.owner },
                    "team": { "type": "Team", "id": article.team },
                    "state": { "type": "State", "id": article.state.as_str() },
                },
                "parents": [],
            },
        ]);
        let entities = Entities::from_json_value(entities, Some(&self.schema))?;
        let action = EntityUid::from_json(json!({ "type": "Action", "id": action.as_str() }))?;
        let (principal, resource) = (EntityUid::from_json(principal)?, EntityUid::from_json(resource)?);
        let request = Request::new(principal, action, resource, Context::empty(), Some(&self.schema))?;
        Ok(Authorizer::new().is_authorized(&request, &self.policies, &entities))
    }
}

/// The decision, and the policies that it is based on.
fn read_response(response: &Response) -> Result<(Decision, String), BoxError> {
    let errors: Vec<String> = response.diagnostics().errors().map(ToString::to_string).collect();
    if !errors.is_empty() {
        return Err(errors.join("; ").into());
    }
    let mut policies: Vec<String> = response.diagnostics().reason().map(|id| format!("`{id}`")).collect();
    policies.sort();
    let policies = if policies.is_empty() { "no policy permits it".to_owned() } else { policies.join(", ") };
    Ok((response.decision(), policies))
}
