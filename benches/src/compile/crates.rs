//! The crates that are compared.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::rules::{self, ROLES, Random};

pub const HANDLERS: usize = 500;
const HANDLERS_A_MODULE: usize = 50;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// An extractor written by hand, which looks up a header and compares a role.
    Plain,
    OneName,
    OneNameDeclared,
    ThirtyNames,
    ThirtyNamesDeclared,
}

impl Variant {
    pub const ALL: [Self; 5] =
        [Self::Plain, Self::OneName, Self::OneNameDeclared, Self::ThirtyNames, Self::ThirtyNamesDeclared];

    /// Of the crate.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::OneName => "one-name",
            Self::OneNameDeclared => "one-name-declared",
            Self::ThirtyNames => "thirty-names",
            Self::ThirtyNamesDeclared => "thirty-names-declared",
        }
    }

    pub fn told(self) -> &'static str {
        match self {
            Self::Plain => "plain axum",
            Self::OneName => "one role",
            Self::OneNameDeclared => "one role, auth.toml",
            Self::ThirtyNames => "30 names",
            Self::ThirtyNamesDeclared => "30 names, auth.toml",
        }
    }

    fn has_file(self) -> bool {
        matches!(self, Self::OneNameDeclared | Self::ThirtyNamesDeclared)
    }
}

/// Writes all crates, as one workspace, with the lock file of the repository.
pub fn write(folder: &Path, repository: &Path) {
    if folder.exists() {
        fs::remove_dir_all(folder).expect("to remove the last run's");
    }
    let names = Variant::ALL.map(|variant| format!("{:?}", variant.name())).join(", ");
    put(&folder.join("Cargo.toml"), &format!("[workspace]\nresolver = \"3\"\nmembers = [{names}]\n"));
    fs::copy(repository.join("Cargo.lock"), folder.join("Cargo.lock")).expect("the repository's lock file");
    for variant in Variant::ALL {
        write_crate(variant, &folder.join(variant.name()), repository);
    }
}

fn write_crate(variant: Variant, folder: &Path, repository: &Path) {
    let mut manifest =
        format!("[package]\nname = {:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n", variant.name());
    manifest += "[dependencies]\naxum = { version = \"0.8.9\", default-features = false, features = [\"matched-path\"] }\n";
    if variant != Variant::Plain {
        writeln!(manifest, "auth-runtime = {{ path = {:?} }}", repository.join("auth-runtime"))
            .expect("a string");
    }
    put(&folder.join("Cargo.toml"), &manifest);
    if variant.has_file() {
        put(&folder.join("auth.toml"), &rules::vocabulary());
    }

    let modules: Vec<String> =
        (0..HANDLERS / HANDLERS_A_MODULE).map(|number| format!("part{number}")).collect();
    put(&folder.join("src/lib.rs"), &root(variant, &modules));
    // The same rules with the file and without.
    let mut random = Random::new(7);
    for (number, module) in modules.iter().enumerate() {
        let handlers = (0..HANDLERS_A_MODULE).map(|handler| number * HANDLERS_A_MODULE + handler);
        put(&folder.join(format!("src/{module}.rs")), &module_of(variant, handlers, &mut random));
    }
}

/// `lib.rs`.
fn root(variant: Variant, modules: &[String]) -> String {
    let mut text = String::new();
    for module in modules {
        text += &format!("mod {module};\n");
    }
    let merged: String =
        modules.iter().map(|module| format!("\n        .merge({module}::routes())")).collect();
    text += "\n#[derive(Clone)]\npub struct App {\n    pub name: String,\n}\n\n";
    if variant == Variant::Plain {
        text += &format!("pub fn app() -> axum::Router<App> {{\n    axum::Router::new(){merged}\n}}\n\n");
        text += BY_HAND;
        for role in 0..ROLES {
            text += &format!(
                "pub struct Role{role};\nimpl Role for Role{role} {{\n    const NAME: &'static str = \"role{role}\";\n}}\n\n"
            );
        }
    } else {
        text += &format!(
            "pub fn app(auth: &auth_runtime::Auth) -> axum::Router<App> {{\n    auth_runtime::Router::new(){merged}\n        \
             .finish(auth)\n        .expect(\"routes\")\n}}\n\n"
        );
    }
    if variant.has_file() {
        text += "pub mod vocabulary {\n    auth_runtime::vocabulary!();\n}\n";
    }
    text
}

/// What a service without this library has once.
const BY_HAND: &str = r#"pub trait Role: Send + 'static {
    const NAME: &'static str;
}

pub struct Caller<R>(std::marker::PhantomData<R>);

impl<S: Send + Sync, R: Role> axum::extract::FromRequestParts<S> for Caller<R> {
    type Rejection = axum::http::StatusCode;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, _: &S) -> Result<Self, Self::Rejection> {
        let Some(role) = parts.headers.get("x-role") else {
            return Err(axum::http::StatusCode::UNAUTHORIZED);
        };
        if role != R::NAME {
            return Err(axum::http::StatusCode::FORBIDDEN);
        }
        Ok(Self(std::marker::PhantomData))
    }
}

"#;

/// Handlers of these numbers, and their router.
fn module_of(variant: Variant, handlers: impl Iterator<Item = usize>, random: &mut Random) -> String {
    let imports = match variant {
        Variant::Plain => "use axum::Router;\nuse axum::routing::get;\n\nuse crate::Caller;\n",
        _ => "use auth_runtime::routing::get;\nuse auth_runtime::{Router, auth};\n\n",
    };
    let mut text = format!("use axum::extract::{{Path, State}};\n{imports}use crate::App;\n\n");
    let mut routes = String::new();
    for number in handlers {
        let role = number % ROLES;
        let (attribute, gate) = match variant {
            Variant::Plain => (String::new(), format!("_: Caller<crate::Role{role}>, ")),
            Variant::OneName | Variant::OneNameDeclared => {
                (format!("#[auth(roles = [\"role{role}\"])]\n"), String::new())
            }
            Variant::ThirtyNames | Variant::ThirtyNamesDeclared => {
                (format!("#[auth({})]\n", rules::thirty_names(random)), String::new())
            }
        };
        text += &format!(
            "{attribute}async fn handler{number}({gate}Path(id): Path<u64>, State(app): State<App>) -> String {{\n    \
             format!(\"{{}}: {number} of {{id}}\", app.name)\n}}\n\n"
        );
        routes += &format!("\n        .route(\"/handler{number}/{{id}}\", get(handler{number}))");
    }
    text += &format!("pub fn routes() -> Router<App> {{\n    Router::new(){routes}\n}}\n");
    text
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
}
