//! What has to hold after the service was killed.

use auth_runtime::session::{RefreshError, TokenError};
use auth_tests::durable::{Line, Service, token};

/// What a child said that it had recorded.
#[derive(Debug, Default)]
pub(super) struct Acknowledged {
    pub(super) revoked: Vec<String>,
    pub(super) logged_in: Vec<String>,
    pub(super) logged_out: Vec<(String, String)>,
    pub(super) keys_made: Vec<String>,
    pub(super) keys_revoked: Vec<String>,
}

impl Acknowledged {
    /// The reason, if the line is about a failure.
    pub(super) fn note(&mut self, line: Line) -> Option<String> {
        match line {
            Line::Opening => {}
            Line::Revoked(id) => self.revoked.push(id),
            Line::LoggedIn(refresh_token) => self.logged_in.push(refresh_token),
            Line::LoggedOut { refresh_token, access_token } => {
                self.logged_out.push((refresh_token, access_token));
            }
            Line::KeyMade(key) => self.keys_made.push(key),
            Line::KeyRevoked(key) => self.keys_revoked.push(key),
            Line::Served { good, revoked } => {
                assert_eq!((good, revoked.unwrap_or(401)), (200, 401));
            }
            Line::NotOpened(reason) => panic!("{reason}"),
            Line::Failed(reason) => return Some(reason),
        }
        None
    }

    /// Holds all of it against a service that was started after the child had ended. Logins go on with their next tokens.
    pub(super) async fn check(&mut self, service: &Service) {
        assert_eq!(service.status(&token("good")).await, 200);
        for id in &self.revoked {
            assert_eq!(service.status(&token(id)).await, 401, "{id} was revoked");
        }
        for (keys, status) in [(&self.keys_made, 200), (&self.keys_revoked, 401)] {
            for key in keys {
                assert_eq!(service.status_of_key(key).await, status, "{key}");
            }
        }
        let tokens = service.auth.tokens().unwrap();
        for refresh_token in &mut self.logged_in {
            let next = tokens.refresh(refresh_token).await.unwrap();
            assert_eq!(service.status(&next.access_token).await, 200);
            *refresh_token = next.refresh_token;
        }
        for (refresh_token, access_token) in &self.logged_out {
            let refused = tokens.refresh(refresh_token).await.unwrap_err();
            assert!(matches!(refused, TokenError::Refresh(RefreshError::Ended)), "{refused}");
            assert_eq!(service.status(access_token).await, 401, "a logout takes access tokens too");
        }
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.revoked.extend(other.revoked);
        self.logged_in.extend(other.logged_in);
        self.logged_out.extend(other.logged_out);
        self.keys_made.extend(other.keys_made);
        self.keys_revoked.extend(other.keys_revoked);
    }
}
