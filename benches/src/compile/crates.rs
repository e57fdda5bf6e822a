//! The crates that are compared.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::rules::{self, ROLES, Random};

/// Of a crate that is checked or built.
pub const HANDLERS: usize = 500;

/// Of two programs, whose sizes are compared: what does not depend on the number of handlers is in both.
pub const OF_PROGRAMS: [usize; 2] = [100, 300];

const HANDLERS_A_MODULE: usize = 50;

/// A crate of so many handlers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Crate {
    pub variant: Variant,
    pub handlers: usize,
    pub is_program: bool,
}

impl Crate {
    pub fn library(variant: Variant) -> Self {
        Self { variant, handlers: HANDLERS, is_program: false }
    }

    pub fn program(variant: Variant, handlers: usize) -> Self {
        Self { variant, handlers, is_program: true }
    }

    pub fn name(self) -> String {
        let name = self.variant.name();
        if self.is_program { format!("{name}-program-{}", self.handlers) } else { name.to_owned() }
    }
}

/// The variants of which programs are made.
pub const PROGRAMS: [Variant; 2] = [Variant::Plain, Variant::OneName];

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

    fn name(self) -> &'static str {
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
    let libraries = Variant::ALL.map(Crate::library);
    let programs = PROGRAMS
        .into_iter()
        .flat_map(|variant| OF_PROGRAMS.map(|handlers| Crate::program(variant, handlers)));
    let crates: Vec<Crate> = libraries.into_iter().chain(programs).collect();
    let names: Vec<String> = crates.iter().map(|one| format!("{:?}", one.name())).collect();
    let profile = "[profile.release]\nstrip = true\n";
    put(
        &folder.join("Cargo.toml"),
        &format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n\n{profile}", names.join(", ")),
    );
    fs::copy(repository.join("Cargo.lock"), folder.join("Cargo.lock")).expect("the repository's lock file");
    for one in crates {
        write_crate(one, &folder.join(one.name()), repository);
    }
}

fn write_crate(one: Crate, folder: &Path, repository: &Path) {
    let Crate { variant, handlers, is_program } = one;
    let mut manifest =
        format!("[package]\nname = {:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n", one.name());
    manifest += "[dependencies]\naxum = { version = \"0.8.9\", default-features = false, features = [\"matched-path\"] }\n";
    if variant != Variant::Plain {
        writeln!(manifest, "auth-runtime = {{ path = {:?} }}", repository.join("auth-runtime"))
            .expect("a string");
    }
    put(&folder.join("Cargo.toml"), &manifest);
    if variant.has_file() {
        put(&folder.join("auth.toml"), &rules::vocabulary());
    }
    if is_program {
        let main = if variant == Variant::Plain { PLAIN_MAIN } else { GUARDED_MAIN };
        put(&folder.join("src/main.rs"), &main.replace("CRATE", &one.name().replace('-', "_")));
    }

    let modules: Vec<String> =
        (0..handlers / HANDLERS_A_MODULE).map(|number| format!("part{number}")).collect();
    put(&folder.join("src/lib.rs"), &root(variant, &modules));
    // The same rules with the file and without.
    let mut random = Random::new(7);
    for (number, module) in modules.iter().enumerate() {
        let handlers = (0..HANDLERS_A_MODULE).map(|handler| number * HANDLERS_A_MODULE + handler);
        put(&folder.join(format!("src/{module}.rs")), &module_of(variant, handlers, &mut random));
    }
}

/// Builds the router, so that all handlers are in the program.
const PLAIN_MAIN: &str = "\
fn main() {
    std::hint::black_box(CRATE::app());
}
";

const GUARDED_MAIN: &str = "\
use auth_runtime::Auth;
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};

fn main() {
    let issuer = TrustedIssuer::new(\"i\").audience(\"a\").key(Key::secret(Algorithm::HS256, [7; 32]));
    let auth = Auth::builder().issuer(issuer).build().expect(\"an engine\");
    std::hint::black_box(CRATE::app(&auth));
}
";

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
