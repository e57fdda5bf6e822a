//! The macros of [`auth-runtime`](https://docs.rs/auth-runtime). Depend on that crate: it re-exports them, and what
//! they expand to calls it.
//!
//! The steps: `attribute/` parses the arguments into the model of `rule.rs`, `check/` looks for errors, with the
//! `auth.toml` that `vocabulary/` reads, `expand/` writes the code. Errors are collected in `diagnostics.rs` and
//! reported all at once.

mod attribute;
mod check;
mod diagnostics;
mod expand;
mod function;
mod handover;
mod place;
mod presence;
mod rule;
mod suggest;
mod vocabulary;

use proc_macro::TokenStream;

/// Guards a handler: the request is rejected before another extractor runs if the caller does not satisfy the rule.
///
/// Without arguments it lets in any authenticated caller. The arguments, which must all hold, are in the table of
/// `auth-runtime`'s documentation:
///
/// ```text
/// #[auth]
/// #[auth(source = "cookie", roles = ["admin"])]
/// #[auth(any(roles = ["editor"], all(roles = ["author"], scopes = ["article:write"])))]
/// #[auth(claims(tenant_id = path("tenant")), permissions = ["invoice.read"], check = owns)]
/// #[auth(rule = MEMBERS, max_age = "5m")]
/// #[auth(optional)]
/// #[auth(public)]
/// ```
///
/// It adds one argument in front of the handler's own, which does all the work, and leaves the rest of the function
/// as it is: body, return type, generics, other attributes. Next to the function it declares a type that carries the
/// rule as a constant.
///
/// Every error in an attribute is reported, each at its own place. The function then still exists, and rejects
/// every request, so that no second error hides the first.
#[proc_macro_attribute]
pub fn auth(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::auth(arguments.into(), item.into()).into()
}

/// Makes an authenticator of a function, whose arguments are extracted from the request as those of a handler.
///
/// ```text
/// #[authenticator]
/// async fn partner(credential: &str, State(db): State<Db>, method: Method, uri: Uri) -> Result<Option<Subject>, DbError> { .. }
///
/// Auth::builder().authenticator("partner", CredentialPlace::header("X-Signature"), partner::with_state(db))
/// ```
///
/// The first argument is the credential. The others are extracted from a copy of the request's head and from the state, which is passed
/// to `with_state` when the engine is built; `with_state(())` is without. There is no caller yet, so `Principal` and `Claims` are
/// errors, and the body is the handler's. The function returns a `Result`: as `Ok` a `Subject`, an `Authenticated`, an `Option` of one of
/// them, where `None` is an invalid credential (401), or an `Authentication`; an error is 503.
///
/// An extractor that rejects the request with a status of a client's error, such as 400 for a header that is missing, makes the credential
/// invalid (401). One that rejects it with a status of a server's error makes the authenticator fail (503). The log names the
/// extractor.
///
/// Next to the function it declares a type of the same name, so that `use` brings both. So a module or a type of that name can't be in
/// the same module: the compiler reports that the name is defined twice. The function can still be called, as in a unit test.
#[proc_macro_attribute]
pub fn authenticator(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::authenticator(arguments.into(), item.into()).into()
}

/// Makes a function usable as `#[auth(check = function)]`: a condition in code, run after the caller satisfied the rule.
///
/// ```text
/// #[check]
/// async fn owns(user: &Principal, Path(id): Path<Uuid>, State(db): State<Db>) -> Result<bool, DbError> { .. }
/// ```
///
/// The first argument is the caller; the others are extracted from the request's head and the router's state, and `Principal` is
/// there as in the handler. `true` lets the request in, `false` rejects it with 403, an error that is a `Rejection` with the status
/// of that one, and another error with 503. An argument that can't be extracted because of the request rejects it with 403, and one that
/// refuses with a `Rejection` with the status of that one.
///
/// In place of `true` it may return `Checked(value)`, which the handler takes as its argument `Checked(value): Checked<T>`: then it
/// returns `Option<Checked<T>>`, `Result<Checked<T>, E>` or `Result<Option<Checked<T>>, E>`.
///
/// Next to the function it declares a type of the same name, so that `use` brings both. So a module or a type of that name can't be in
/// the same module: the compiler reports that the name is defined twice.
#[proc_macro_attribute]
pub fn check(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::check(arguments.into(), item.into()).into()
}

/// Makes a rule as a value, with the arguments of `#[auth]` except `check`. Use it as a constant for `#[auth(rule = MEMBERS)]`,
/// for a whole router (`require`), or for a service.
///
/// ```text
/// const MEMBERS: Rule = rule!(roles = ["member"], not(roles = ["suspended"]));
/// router.require(rule!(roles = ["member"])).nest_service("/assets", (assets, rule!(public)))
/// ```
#[proc_macro]
pub fn rule(arguments: TokenStream) -> TokenStream {
    expand::rule_macro(arguments.into()).into()
}

/// Compiles in what `auth.toml` declares: the static `VOCABULARY`, which the engine's builder takes, and the enums
/// `Role`, `Scope` and `Permission`, for use in code: `user.has(Role::Admin)`.
///
/// ```text
/// mod vocabulary {
///     auth_runtime::vocabulary!();
/// }
/// ```
///
/// Each enum has all of its names as `ALL`, can be parsed from text (`parse`, `TryFrom`), is written by `Display`, and serde reads and writes it
/// as its name. It is an `Into<String>`, so what takes names as text takes it too, such as `Subject::new(id).roles([Role::Admin])`: a misspelled
/// name does not compile there.
///
/// All of them are `pub`. The visibility of the module that contains them decides who can use them. A name such as
/// `article:write` becomes the variant `ArticleWrite`. The file is looked for next to the Cargo.toml of the crate, and then
/// at the root of its workspace.
#[proc_macro]
pub fn vocabulary(arguments: TokenStream) -> TokenStream {
    expand::vocabulary(arguments.into()).into()
}

/// For `documented!` of `auth-runtime`, which writes the path of that crate in front of the list.
#[doc(hidden)]
#[proc_macro]
pub fn documented(handlers: TokenStream) -> TokenStream {
    expand::documented(handlers.into()).into()
}
