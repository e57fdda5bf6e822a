//! Operations: the id, the parameters, the security and the responses of each route and method.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::json::sorted_by_name;
use super::keys::{DECLARED, POLICY, WHO};
use super::merge;
use super::names::NameKinds;
use super::path::{PathParameter, template};
use super::rejections::responses;
use super::route::ServedRoute;
use super::schemes::Schemes;
use super::security::requirements;
use crate::engine::Auth;
use crate::method::is_safe_name;
use crate::policy::PolicyDocument;
use crate::policy::short_name;

/// The operations of a path, by method in lower case.
pub(super) type PathItem = BTreeMap<String, Map<String, Value>>;

/// The operations of a document, to which routes are added.
pub(super) struct Operations<'d> {
    schemes: &'d Schemes,
    kinds: &'d NameKinds,
    auth: &'d Auth,
    paths: BTreeMap<String, PathItem>,
    ids: BTreeSet<String>,
}

/// The fields of an operation that follow from its policy.
struct Enforced {
    policy: PolicyDocument,
    is_redirected: bool,
    fields: [(&'static str, Value); 3],
}

impl<'d> Operations<'d> {
    /// `taken_ids` are not given to an operation.
    pub(super) fn new(
        schemes: &'d Schemes,
        kinds: &'d NameKinds,
        auth: &'d Auth,
        taken_ids: BTreeSet<String>,
    ) -> Self {
        Self { schemes, kinds, auth, paths: BTreeMap::new(), ids: taken_ids }
    }

    pub(super) fn into_paths(self) -> BTreeMap<String, PathItem> {
        self.paths
    }

    /// Adds the operations of a route.
    pub(super) fn add(&mut self, route: &ServedRoute<'_>) {
        let (path, parameters) = template(&route.path);
        let mut enforced: Vec<Enforced> = Vec::new();
        for &method in &route.methods {
            let mut policy = route.policy.clone();
            if !is_safe_name(method) {
                self.schemes.retain_outside_of_url(&mut policy.sources);
            }
            let may_open = |source: &str| route.info.may_open_web_socket(method, source);
            self.schemes.retain_without_web_socket(&mut policy.sources, may_open);
            let is_redirected = self.redirects(method, &route.path) && self.login_can_help(&policy.sources);
            let is_last = |last: &Enforced| last.policy == policy && last.is_redirected == is_redirected;
            if !enforced.last().is_some_and(is_last) {
                enforced.push(self.enforced(policy, is_redirected, route.info.takes_session_data));
            }
            let Some(Enforced { fields, .. }) = enforced.last() else { continue };
            let mut operation = own_operation(route, method, &path, &parameters);
            operation.extend(fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
            if let Some(documented) = route.documentation.and_then(|handler| handler.operation(method)) {
                operation = with_documentation(documented.clone(), &operation, &parameters);
            }
            let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
            let id = self.unique_id(id.to_owned(), method, &path);
            operation.insert("operationId".into(), id.into());
            self.paths.entry(path.clone()).or_default().insert(method.to_owned(), operation);
        }
    }

    /// Whether a browser without a login is sent to the login page: `redirect_to_login` says for which requests.
    fn redirects(&self, method: &str, path: &str) -> bool {
        let page = self.auth.engine().responses.login_page.as_ref();
        page.is_some_and(|page| page.path() != path && ["get", "head", "post"].contains(&method))
    }

    fn login_can_help(&self, names: &[String]) -> bool {
        let sources = &self.auth.engine().authentication.sources;
        // The refresh cookie is none of them.
        let can_help =
            |name: &String| sources.resolve(&[name]).is_ok_and(|found| sources.login_can_help(&found));
        names.iter().any(can_help)
    }

    fn enforced(
        &self,
        policy: PolicyDocument,
        is_redirected: bool,
        takes_session_data: Option<bool>,
    ) -> Enforced {
        let ambient: Vec<_> = policy.sources.iter().map(|source| self.schemes.is_ambient(source)).collect();
        let fields = [
            ("security", json!(requirements(&policy, self.schemes, self.kinds))),
            ("responses", json!(responses(&policy, &ambient, is_redirected, takes_session_data, self.auth))),
            (POLICY, sorted_by_name(json!(policy))),
        ];
        Enforced { policy, is_redirected, fields }
    }

    /// An id that no other operation has: the first operation that asks for an id gets it, and a later one gets it with its
    /// method and path. So the ids stay the same when a route is added after the others.
    fn unique_id(&mut self, id: String, method: &str, path: &str) -> String {
        let long = format!("{id}_{}", with_path(method, path));
        let numbered = (2..).map(|number| format!("{long}_{number}"));
        let mut candidates = [id, long.clone()].into_iter().chain(numbered);
        let free = candidates.find(|id| !self.ids.contains(id)).unwrap_or_default();
        self.ids.insert(free.clone());
        free
    }
}

/// What is known of an operation without its policy and its documentation.
fn own_operation(
    route: &ServedRoute<'_>,
    method: &str,
    path: &str,
    parameters: &[PathParameter],
) -> Map<String, Value> {
    let mut operation = Map::from_iter([
        ("operationId".to_owned(), json!(id(route, method, path))),
        ("summary".to_owned(), json!(words(short_name(route.handler)))),
        ("description".to_owned(), json!(description(route))),
    ]);
    if !route.declared.is_empty() {
        let policies =
            route.declared.iter().map(|declared| (declared.name.clone(), json!(declared.policy())));
        operation.insert(DECLARED.into(), sorted_by_name(Value::Object(policies.collect())));
    }
    if !parameters.is_empty() {
        let parameters = parameters.iter().map(PathParameter::to_value).collect();
        operation.insert("parameters".into(), Value::Array(parameters));
    }
    operation
}

/// Who may call it, and who may do what is decided later.
fn description(route: &ServedRoute<'_>) -> String {
    let declared = route.declared.iter();
    let declared = declared.map(|declared| format!(" Then for `{}`: {}.", declared.name, declared.who()));
    format!("{WHO}{}.{}", route.who, declared.collect::<String>())
}

/// The documentation of the handler, completed by what is known here. Its `security` is replaced: it may differ from what
/// is enforced.
fn with_documentation(
    mut documented: Map<String, Value>,
    own: &Map<String, Value>,
    parameters: &[PathParameter],
) -> Map<String, Value> {
    documented.remove("security");
    merge::operation(&mut documented, own);
    merge::parameters(&mut documented, None, parameters);
    documented
}

/// The handler's name with its module, and with the method where it serves several; for what has no name the method and the path.
fn id(route: &ServedRoute<'_>, method: &str, path: &str) -> String {
    if route.handler.starts_with('[') {
        return with_path(method, path);
    }
    let (_, name) = route.handler.split_once("::").unwrap_or(("", route.handler));
    let name = name.replace("::", "_");
    if route.is_of_any_method() { format!("{name}_{method}") } else { name }
}

fn with_path(method: &str, path: &str) -> String {
    let parts = path.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    std::iter::once(method).chain(parts).collect::<Vec<_>>().join("_")
}

/// `log_out_everywhere` → "Log out everywhere".
fn words(name: &str) -> String {
    let words = name.replace(['_', '[', ']'], " ");
    let mut letters = words.trim().chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
