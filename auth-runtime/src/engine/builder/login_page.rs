//! The page that browsers without a login are redirected to.

use super::AuthBuilder;
use crate::login_page::LoginPage;

impl AuthBuilder {
    /// Sends browsers without a login to the login page: a request for a page that is rejected with 401 is answered 303 with
    /// `Location: /login?return_to=%2Faccount`. The login page reads the way back with [`ReturnTo`](crate::ReturnTo), which accepts a
    /// path of this service and nothing else.
    ///
    /// ```
    /// # use auth_runtime::{AuthBuilder, LoginPage};
    /// # fn configured(builder: AuthBuilder) -> AuthBuilder {
    /// builder.redirect_to_login("/login")
    /// # }
    /// # fn renamed(builder: AuthBuilder) -> AuthBuilder {
    /// builder.redirect_to_login(LoginPage::at("/sign-in").return_parameter("next"))
    /// # }
    /// ```
    ///
    /// A browser loads a page if the method is `GET`, `HEAD` or `POST`, `Accept` prefers HTML to JSON, and neither Fetch Metadata
    /// (`Sec-Fetch-Mode`, `Sec-Fetch-Dest`) nor `X-Requested-With` say that a script fetches. All others get the 401 with its challenge
    /// as before: programs, scripts, WebSockets. A route that takes no cookie answers 401 too. That is so with `source = "bearer"`, and with the default sources unless
    /// [`default_sources`](Self::default_sources) names `cookie`: a login would not help there, and the redirects would not end. A 403 is never redirected, nor is the login page itself. Where the method is `POST`,
    /// and where the path is longer than 2,048 bytes or is none that [`ReturnTo`](crate::ReturnTo) accepts, the redirect has no return
    /// path.
    ///
    /// A 401 asks for another login also where the caller has one: it is too old (`max_age`), too weak (`acr`), or was revoked. So
    /// the login page must show its form to callers that are logged in too: if it sent them back, the redirects would not end.
    ///
    /// [`finish`](crate::Router::finish) reports a login page that asks for a login. All other rejections are for
    /// [`render_rejections`](Self::render_rejections).
    pub fn redirect_to_login(mut self, page: impl Into<LoginPage>) -> Self {
        self.login_page = Some(page.into());
        self
    }
}
