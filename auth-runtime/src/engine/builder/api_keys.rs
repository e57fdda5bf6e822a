//! API keys: their scheme, and where they are stored.

use std::sync::Arc;

use super::{AuthBuilder, SchemeParts};
use crate::api_key::{ApiKeyState, ApiKeys};
use crate::authenticator::Authenticator as _;
use crate::error::ConfigErrors;
use crate::vocabulary::{Vocabulary, VocabularyIndex};

impl AuthBuilder {
    /// Adds a scheme for API keys, which [`Auth::api_keys`](crate::Auth::api_keys) makes and revokes: rules name it with
    /// `source = "api_key"`. An engine has one.
    pub fn api_keys(mut self, keys: ApiKeys) -> Self {
        self.api_keys.push(keys);
        self
    }
}

/// Adds the scheme of API keys to the builder, and returns the keys; `None` if the engine has none.
pub(super) fn assemble(
    builder: &mut AuthBuilder,
    vocabulary: Option<&'static Vocabulary>,
    errors: &mut ConfigErrors,
) -> Option<Arc<ApiKeyState>> {
    let mut configured = std::mem::take(&mut builder.api_keys).into_iter();
    let keys = configured.next()?;
    if configured.next().is_some() {
        errors.push(
            "`.api_keys(..)` is called twice, but an engine has one kind of API keys: keep one of the two",
        );
    }
    let (name, place) = (keys.name().to_owned(), keys.place().clone());
    let vocabulary = VocabularyIndex::new(vocabulary);
    let state = Arc::new(keys.assemble(builder.store.is_some(), &vocabulary, &builder.clock, errors));
    builder.authenticators.push(SchemeParts {
        name,
        place,
        challenge: state.challenge_scheme(),
        authenticator: Arc::<ApiKeyState>::clone(&state),
    });
    Some(state)
}
