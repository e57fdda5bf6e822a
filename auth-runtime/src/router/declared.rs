//! Rules that are decided outside of requests, and the routes that declare them.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::guarded_router::Router;
use super::method_router::MethodRouter;
use super::path::join;
use crate::engine::Engine;
use crate::error::ConfigErrors;
use crate::policy::{Access, Rule, objections, who};

/// A rule that [`Auth::require`](crate::Auth::require) decides, as a router declares it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeclaredRule {
    /// The path of the route that declares it, from the outermost router on; `None` if a router does, for no route of its own.
    pub path: Option<String>,
    /// What it is for: `publish`.
    pub name: String,
    /// The rule.
    pub rule: Rule,
    /// Where it is declared.
    place: &'static Location<'static>,
    hides_scopes: bool,
}

impl DeclaredRule {
    /// The rule in English, as in the column WHO of the access table.
    #[must_use]
    pub fn who(&self) -> String {
        who(Access::Authenticated, &self.rule.conditions(), None)
    }

    /// What it is called in lists, below its path: `/chat publish`.
    pub(crate) fn label(&self) -> String {
        label(self.path.as_deref(), &self.name)
    }

    /// Whether its scopes are for the callers of its route alone.
    pub(super) fn hides_scopes(&self) -> bool {
        self.hides_scopes
    }

    /// What is wrong with it, and where.
    pub(crate) fn error(&self, objection: &str) -> String {
        format!("{RULE} {} (declared at {}): {objection}", self.label(), self.place)
    }

    /// With the path of a router around it in front of its own.
    pub(super) fn below(self, prefix: &str) -> Self {
        Self { path: self.path.map(|path| join(prefix, &path)), ..self }
    }

    /// Why `Auth::require` can't decide it.
    pub(crate) fn objections(&self, engine: &Engine) -> Vec<String> {
        let mut found = Vec::new();
        if self.name.trim().is_empty() {
            found.push("it has no name: write what the rule is for, such as `publish`".to_owned());
        }
        if self.rule.access() != Access::Authenticated {
            found.push(format!(
                "the rule `{}` requires no caller, so there is nothing to decide: start with `Rule::authenticated()`, or remove it",
                self.rule
            ));
        }
        if !self.rule.source_names().is_empty() {
            found.push(format!(
                "the rule names the source {}, and outside of a request no source is looked at: remove `source` from the rule",
                self.rule.source_names().join(", ")
            ));
        }
        for parameter in self.rule.path_parameters() {
            found.push(format!(
                "the rule compares a claim with `path({parameter:?})`, and outside of a request there is no path: compare `Principal::claim` \
                 in code instead"
            ));
        }
        found.extend(objections(&[self.rule], &engine.authorization.vocabulary));
        found
    }
}

/// The method that declared rules are listed with.
pub(crate) const RULE: &str = "RULE";

/// What a declared rule is called in lists.
pub(crate) fn label(path: Option<&str>, name: &str) -> String {
    path.map_or_else(|| name.to_owned(), |path| format!("{path} {name}"))
}

/// What a method router declares, before it has a path.
#[derive(Debug)]
pub(super) struct Declaration {
    name: String,
    rule: Rule,
    place: &'static Location<'static>,
    hides_scopes: bool,
}

impl Declaration {
    pub(super) fn at(self, path: &str) -> DeclaredRule {
        let Self { name, rule, place, hides_scopes } = self;
        DeclaredRule { path: Some(path.to_owned()), name, rule, place, hides_scopes }
    }

    pub(super) fn hide_scopes(&mut self) {
        self.hides_scopes = true;
    }
}

impl<S> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Declares a rule that the handlers here decide by [`Auth::require`](crate::Auth::require), for what comes after the request that the
    /// gate decided: the messages of a WebSocket, the calls of a gRPC service. It is listed in the access table and its lock, below the
    /// path, and in the OpenAPI document. `Auth::require` refuses rules that no router declares.
    ///
    /// ```
    /// # use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
    /// use auth_runtime::{Auth, Principal, Router, auth, policy::Rule, routing::get, rule};
    ///
    /// const PUBLISH: Rule = rule!(scopes = ["chat:write"], not(roles = ["muted"]));
    ///
    /// #[auth]
    /// async fn chat(user: Principal) {} // for each message: `auth.require(&user, &PUBLISH)?`
    ///
    /// # let issuer = TrustedIssuer::new("i").audience("a").key(Key::secret(Algorithm::HS256, [7; 32]));
    /// let auth = Auth::builder().issuer(issuer).build()?;
    /// let routes: Router = Router::new().route("/chat", get(chat).declares("publish", &PUBLISH));
    /// # routes.finish(&auth)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// The rule has no `source` and compares no claim with the path: [`finish`](crate::Router::finish) reports that, and names that the
    /// vocabulary does not declare. What the routers around it [require](crate::Router::require) is about requests, and is not added.
    #[track_caller]
    pub fn declares(mut self, name: impl Into<String>, rule: &Rule) -> Self {
        let place = Location::caller();
        self.declared.push(Declaration { name: name.into(), rule: *rule, place, hides_scopes: false });
        self
    }
}

impl<S> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Declares a rule that [`Auth::require`](crate::Auth::require) decides for no route of this router: for the messages of a queue, or
    /// for a server of another protocol. It is listed in the access table and its lock by its name, and otherwise as
    /// [`MethodRouter::declares`](crate::routing::MethodRouter::declares) says.
    #[track_caller]
    pub fn declares(mut self, name: impl Into<String>, rule: &Rule) -> Self {
        let place = Location::caller();
        let (name, rule) = (name.into(), *rule);
        self.declared.push(DeclaredRule { path: None, name, rule, place, hides_scopes: false });
        self
    }

    /// The rules that it declares, each once for each path and name.
    pub(super) fn declared_rules(&self) -> Vec<DeclaredRule> {
        let mut declared: Vec<DeclaredRule> = Vec::new();
        for rule in self.declared.iter().map(|rule| rule.clone().below(&self.mounted_at)) {
            if !declared.iter().any(|known| known.label() == rule.label() && known.rule == rule.rule) {
                declared.push(rule);
            }
        }
        declared
    }

    /// Makes the engine decide the declared rules; those that it can't decide go to `errors`.
    pub(super) fn resolve_declared(&self, engine: &Arc<Engine>, errors: &mut ConfigErrors) {
        let declared = self.declared_rules();
        for (index, rule) in declared.iter().enumerate() {
            let mut objections = rule.objections(engine);
            let earlier = declared.iter().take(index).find(|earlier| earlier.label() == rule.label());
            objections.extend(earlier.map(|earlier| {
                format!("another rule is declared by this name at {}: give each its own name", earlier.place)
            }));
            objections.into_iter().for_each(|objection| errors.push(rule.error(&objection)));
        }
        if errors.is_empty() {
            declared.iter().for_each(|declared| engine.authorization.declare(declared.rule));
        }
    }
}

impl fmt::Display for DeclaredRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{RULE} {}: {}", self.label(), self.who())
    }
}
