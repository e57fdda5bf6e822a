//! The tools.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use auth_runtime::Principal;
use axum::http::request::Parts;
use rmcp::handler::server::tool::Extension;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::{ErrorData, schemars, tool, tool_router};
use serde::Deserialize;

/// The notes of each user, by the subject of its tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(Arc<Mutex<BTreeMap<String, Vec<String>>>>);

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct NewNote {
    /// What to write down.
    text: String,
}

#[tool_router(server_handler)]
impl Notes {
    #[tool(description = "Lists the notes of the user, one a line.")]
    fn list_notes(&self, Extension(head): Extension<Parts>) -> Result<String, ErrorData> {
        let user = user(&head)?;
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(notes.get(user.subject()).map(|notes| notes.join("\n")).unwrap_or_default())
    }

    #[tool(description = "Adds a note of the user.")]
    fn add_note(
        &self,
        Parameters(NewNote { text }): Parameters<NewNote>,
        Extension(head): Extension<Parts>,
    ) -> Result<String, ErrorData> {
        let user = user(&head)?;
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.entry(user.subject().to_owned()).or_default().push(text);
        Ok("added".to_owned())
    }
}

/// Who calls: the handler of the route put it there.
fn user(head: &Parts) -> Result<&Principal, ErrorData> {
    head.extensions.get().ok_or_else(|| ErrorData::internal_error("no user came with the request", None))
}
