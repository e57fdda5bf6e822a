//! Checks: what their extractors find, how they answer, and what they hand over to the handler.

mod extractors;
mod handover;
mod hidden;
mod leaks;

use std::sync::{Arc, Mutex};

use auth_runtime::AuthBuilder;
use auth_runtime::testing::TestAuth;

/// The status, the code and the reason of each decision.
#[derive(Clone, Default)]
struct Decisions(Arc<Mutex<Vec<String>>>);

impl Decisions {
    /// An engine whose decisions are noted.
    fn noted(&self, configure: impl FnOnce(AuthBuilder) -> AuthBuilder) -> TestAuth {
        let noted = Arc::clone(&self.0);
        TestAuth::with(|builder| {
            configure(builder).audit(move |event| {
                let decision = event.rejection.map_or("allowed".to_owned(), |kind| {
                    format!("{} {}", kind.status().as_u16(), kind.code().unwrap_or("-"))
                });
                let subject = event.subject.unwrap_or("-");
                let line =
                    format!("{subject} {} {}: {decision}: {}", event.route, event.handler, event.reason);
                noted.lock().unwrap().push(line);
            })
        })
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}
