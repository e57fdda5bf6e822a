//! Names that this library writes into a document, and looks for in one.

/// The methods that OpenAPI has a field for, in lower case.
pub(super) const METHODS: [&str; 9] =
    ["get", "put", "post", "delete", "options", "head", "patch", "trace", QUERY];
/// Since OpenAPI 3.2.
pub(super) const QUERY: &str = "query";
/// The extension that holds the rule of an operation.
pub(super) const POLICY: &str = "x-auth-policy";
/// The extension that holds the rules that are decided outside of requests.
pub(super) const DECLARED: &str = "x-auth-declared";
/// In a description, what comes before the rule in words.
pub(super) const WHO: &str = "**Who:** ";
