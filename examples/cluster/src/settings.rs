//! What an instance is configured with, by its environment.

use auth_runtime::session::BoxError;

/// The settings of an instance. All but `instance` are the same for all instances.
pub(crate) struct Settings {
    pub(crate) instance: Instance,
    pub(crate) store_url: String,
    /// The key that access tokens are signed with, as PEM. In a service of yours it is in the store of its secrets.
    pub(crate) signing_key: String,
    /// The secret that refresh tokens are made with, of 32 bytes or more.
    pub(crate) refresh_key: String,
}

/// Which instance it is.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) name: String,
    pub(crate) port: u16,
    /// The page of the other instance.
    pub(crate) other: String,
}

impl Settings {
    pub(crate) fn from_environment() -> Result<Self, BoxError> {
        let port = variable("PORT")?;
        Ok(Self {
            instance: Instance {
                name: variable("INSTANCE")?,
                port: port.parse().map_err(|_| format!("PORT is {port:?}: write a number up to 65535"))?,
                other: variable("OTHER_INSTANCE")?,
            },
            store_url: variable("STORE_URL")?,
            signing_key: variable("SIGNING_KEY")?,
            refresh_key: variable("REFRESH_KEY")?,
        })
    }
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("the variable {name} is not set"))
}

/// The kinds of servers that a store can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreKind {
    Redis,
    Postgres,
}

impl StoreKind {
    pub(crate) fn named(name: &str) -> Result<Self, BoxError> {
        match name {
            "redis" => Ok(Self::Redis),
            "postgres" => Ok(Self::Postgres),
            _ => Err(format!("there is no store {name:?}: write redis or postgres").into()),
        }
    }

    pub(crate) fn of_url(url: &str) -> Result<Self, BoxError> {
        // The URL is not repeated: it can hold a password.
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("redis" | "rediss" | "redis+unix" | "valkey" | "valkeys" | "valkey+unix") => Ok(Self::Redis),
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            _ => Err("the URL of a store begins with redis://, rediss:// or postgres://".into()),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Postgres => "postgres",
        }
    }
}
