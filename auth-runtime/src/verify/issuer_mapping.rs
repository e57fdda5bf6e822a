//! Which claims of an issuer's tokens hold what, and which forms are accepted, as the application sets it.

use super::claim_name::ClaimName;
use super::issuer::TrustedIssuer;
use super::mapping::Place;

impl TrustedIssuer {
    /// Sets which claim holds the subject: a string, or an integer, whose text is then the subject (`42` and `"42"` are the same
    /// one). A number with a fraction or an exponent is rejected. Default: `sub`, which must be a string (RFC 7519 §4.1.2) unless
    /// [`accept_integer_sub`](Self::accept_integer_sub) is called.
    pub fn subject_at(mut self, name: impl Into<ClaimName>) -> Self {
        self.mapping.subject = name.into();
        self.mapping.subject_if_absent = None;
        self
    }

    /// Adds a claim that holds roles: a list of strings, or a string, which is one role. The first one replaces the default,
    /// `roles`, or the claims of a [preset](mod@super::providers). A caller has the roles of all claims that are present.
    ///
    /// ```
    /// use auth_runtime::verify::{ClaimName, TrustedIssuer};
    ///
    /// let issuer = TrustedIssuer::new("https://id.example.com")
    ///     .roles_at("access.roles")
    ///     .roles_at(ClaimName::path(["clients", "my.client", "roles"]));
    /// # let _ = issuer;
    /// ```
    pub fn roles_at(mut self, name: impl Into<ClaimName>) -> Self {
        self.mapping.roles.add(Place::names(name));
        self
    }

    /// Adds a claim that holds roles as the names of an object's members, or of the objects of a list. A member whose value is `false`,
    /// `null`, or an empty object, list or string is no role. It counts as [`roles_at`](Self::roles_at) does.
    ///
    /// ```
    /// use auth_runtime::verify::{ClaimName, TrustedIssuer};
    ///
    /// // {"grants": {"admin": {"org": "acme"}, "viewer": {"org": "acme"}}}
    /// let issuer = TrustedIssuer::new("https://id.example.com").roles_at_keys_of("grants");
    /// # let _ = issuer;
    /// ```
    pub fn roles_at_keys_of(mut self, name: impl Into<ClaimName>) -> Self {
        self.mapping.roles.add(Place::keys_of(name));
        self
    }

    /// Adds a claim that holds scopes: a list of strings, or a string with spaces between the scopes (RFC 8693 §4.2; no scope
    /// contains a space, RFC 6749 §3.3). The first one replaces the default: `scope`, and if that is absent, `scp`. A caller has the
    /// scopes of all claims that were added and are present.
    pub fn scopes_at(mut self, name: impl Into<ClaimName>) -> Self {
        self.mapping.scopes.add(Place::names(name));
        self
    }

    /// Adds a claim that holds permissions: a list of strings, or a string, which is one permission. The first one replaces the
    /// default, `permissions`. A caller has the permissions of all claims that are present.
    pub fn permissions_at(mut self, name: impl Into<ClaimName>) -> Self {
        self.mapping.permissions.add(Place::names(name));
        self
    }

    /// Splits roles that are a string at its spaces. Without it, the string is one role: no standard says that roles are
    /// space-delimited, and `billing admin` may be the name of one.
    pub fn space_delimited_roles(mut self) -> Self {
        self.mapping.roles.space_delimited = true;
        self
    }

    /// Splits permissions that are a string at its spaces. Without it, the string is one permission.
    pub fn space_delimited_permissions(mut self) -> Self {
        self.mapping.permissions.space_delimited = true;
        self
    }

    /// Counts a claim that is `null` as absent, for issuers that write all of their fields. Without it, a token is rejected if one of
    /// its registered claims, or the claim of its roles, scopes or permissions, is `null`. `exp` is never `null`.
    pub fn accept_null_claims(mut self) -> Self {
        self.mapping.forms.null_is_absent = true;
        self
    }

    /// Accepts a `jti` that is an integer. Its text is the id of the token. Without it, such a token is rejected: `jti` is a string
    /// (RFC 7519 §4.1.7).
    pub fn accept_integer_jti(mut self) -> Self {
        self.mapping.forms.integer_jti = true;
        self
    }

    /// Accepts a `sub` that is an integer. Where `sub` holds the subject, its text is the subject: `1` and `"1"` are one. Without it, such a token is rejected:
    /// `sub` is a string (RFC 7519 §4.1.2).
    pub fn accept_integer_sub(mut self) -> Self {
        self.mapping.forms.integer_sub = true;
        self
    }
}
