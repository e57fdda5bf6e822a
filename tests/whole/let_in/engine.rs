//! The engines of a random service, and what they ask.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::api_key::{ApiKeyOptions, ApiKeys, NewApiKey};
use auth_runtime::authenticator::{Authenticated, Authentication, BoxError, Credential, Subject};
use auth_runtime::clock::Clock as _;
use auth_runtime::policy::{ClaimCondition, Condition, Literal, Rule};
use auth_runtime::source::CredentialPlace;
use auth_runtime::store::{ApiKeyStore, MemoryStore, RedbStore};
use auth_runtime::testing::TestClock;
use auth_runtime::users::{Grants, UserCache, UserStore};
use auth_runtime::verify::TrustedIssuer;
use auth_runtime::{Auth, AuthBuilder, Principal};
use tempfile::TempDir;

use super::KEYS;
use super::reference::{Access, Account, Caller, Entry, ISSUERS, Key, Need, OF_KEYS, Place, Route};
use super::steps::{Kept, Service};

/// By which scheme the caller came, who it is, and what it may do.
pub(super) async fn who(caller: Option<Principal>) -> String {
    caller.map_or_else(
        || "nobody".to_owned(),
        |caller| {
            let sorted = |names: &mut dyn Iterator<Item = &str>| {
                let mut names: Vec<_> = names.collect();
                names.sort_unstable();
                names.join(",")
            };
            format!(
                "{} {} {} [{}] [{}] [{}]",
                caller.scheme(),
                caller.issuer().unwrap_or("-"),
                caller.subject(),
                sorted(&mut caller.roles()),
                sorted(&mut caller.scopes()),
                sorted(&mut caller.permissions()),
            )
        },
    )
}

/// What [`who`] answers.
pub(super) fn shown(scheme: &str, issuer: &str, caller: &Caller) -> String {
    let [roles, scopes, permissions] =
        [&caller.roles, &caller.scopes, &caller.permissions].map(|names| names.join(","));
    format!("{scheme} {issuer} {} [{roles}] [{scopes}] [{permissions}]", caller.subject)
}

/// What an authenticator of the service looks into.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) entries: Arc<Mutex<BTreeMap<String, Entry>>>,
    pub(super) remember_for: Duration,
}

pub(super) async fn look_up(credential: Credential, table: Table) -> Result<Authentication, BoxError> {
    let entry = table.entries.lock().unwrap().get(credential.text()).cloned();
    Ok(match entry {
        None => None::<Subject>.into(),
        Some(Entry::Absent) => Authentication::Absent,
        Some(Entry::Unavailable) => return Err("the table is locked".into()),
        Some(Entry::Valid { caller, expires_at }) => {
            let subject = Subject::new(caller.subject)
                .roles(caller.roles)
                .scopes(caller.scopes)
                .permissions(caller.permissions)
                .claim("plan", if caller.is_pro { "pro" } else { "free" });
            let caller = Authenticated::new(subject).remember_for(table.remember_for);
            match expires_at {
                Some(time) => caller.expires_at(UNIX_EPOCH + seconds(time)).into(),
                None => caller.into(),
            }
        }
    })
}

pub(super) fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(seconds.unsigned_abs())
}

pub(super) fn place(place: Place) -> CredentialPlace {
    match place {
        Place::Authorization(scheme) => CredentialPlace::authorization(scheme),
        Place::Header(name) => CredentialPlace::header(name),
        Place::Cookie(name) => CredentialPlace::cookie(name),
        Place::Query(name) => CredentialPlace::dangerously_in_query(name),
    }
}

pub(super) fn rule(route: &Route, service: &Service) -> Rule {
    let rule = match route.access {
        Access::Public => return Rule::public(),
        Access::Optional => Rule::optional(),
        Access::Required => Rule::authenticated(),
    };
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let needs = route.needs.iter().map(|need| match need {
        Need::Roles(names) => Condition::Roles(owned(names)),
        Need::Scopes(names) => Condition::Scopes(owned(names)),
        Need::Permissions(names) => Condition::Permissions(owned(names)),
        Need::Plan => Condition::Claim(ClaimCondition::one_of("plan", [Literal::String("pro".into())])),
    });
    let sources: Vec<_> = route.sources.iter().map(|&source| service.sources[source].name).collect();
    let rule = rule.sources(sources.leak());
    let needs: Vec<_> = needs.collect();
    if needs.is_empty() { rule } else { rule.requires(needs.leak()) }
}

/// The users of the service.
#[derive(Clone, Debug, Default)]
pub(super) struct People {
    pub(super) accounts: Arc<Mutex<BTreeMap<(&'static str, &'static str), Account>>>,
    keys_have_users: bool,
}

/// The roles and permissions of a user, where it has its own.
type Rights = Option<(Vec<&'static str>, Vec<&'static str>)>;

impl UserStore for People {
    type User = Rights;

    async fn load(&self, caller: &Principal) -> Result<Option<Rights>, BoxError> {
        let who = (caller.issuer().unwrap_or_default(), caller.subject());
        let accounts = self.accounts.lock().unwrap();
        match accounts.iter().find(|(known, _)| **known == who) {
            None => Ok(Some(None)),
            Some((_, Account::Active(rights))) => Ok(Some(rights.clone())),
            Some((_, Account::Gone)) => Ok(None),
            Some((_, Account::Unavailable)) => Err("the table is locked".into()),
        }
    }

    fn has_user(&self, caller: &Principal) -> bool {
        self.keys_have_users || caller.issuer() != Some(OF_KEYS)
    }

    fn grants(&self, rights: &Rights) -> Option<Grants> {
        let (roles, permissions) = rights.as_ref()?;
        let (roles, permissions) = (roles.iter().copied(), permissions.iter().copied());
        Some(Grants::new().roles(roles).permissions(permissions))
    }
}

/// What the processes of a service share.
pub(super) struct Shared {
    pub(super) clock: TestClock,
    pub(super) tables: [Table; 2],
    pub(super) people: People,
    pub(super) static_keys: [(NewApiKey, Key); 2],
    store: Store,
}

enum Store {
    Memory(MemoryStore),
    /// With the folder that it is in.
    Redb(RedbStore, #[allow(dead_code, reason = "it is removed when it is dropped")] TempDir),
}

impl Shared {
    pub(super) fn new(service: &Service) -> Self {
        let clock = TestClock::new();
        let now = unix(&clock);
        let key = |caller: Caller, lifetime: Option<i64>| {
            let expires_at = lifetime.map(|lifetime| now + lifetime);
            let is_static = true;
            let key =
                Key { caller, lifetime, expires_at, is_revoked: false, is_static, is_logged_by: [false; 2] };
            (NewApiKey::generate("acme").unwrap(), key)
        };
        let ann = Caller { subject: "ann", scopes: vec!["read"], ..Caller::default() };
        let ben = Caller { subject: "ben", roles: vec!["admin"], ..Caller::default() };
        Self {
            clock,
            tables: service
                .remember_for
                .map(|time| Table { remember_for: seconds(time), ..Table::default() }),
            people: People {
                keys_have_users: service.users.is_some_and(|times| times.of_keys),
                ..People::default()
            },
            static_keys: [key(ann, None), key(ben, Some(60))],
            store: match service.kept {
                Kept::WithoutStore | Kept::Memory => Store::Memory(MemoryStore::new()),
                Kept::Redb => {
                    let folder = tempfile::tempdir().unwrap();
                    Store::Redb(RedbStore::open(folder.path().join("store")).unwrap(), folder)
                }
            },
        }
    }

    /// One process.
    pub(super) fn engine(&self, service: &Service) -> Auth {
        match &self.store {
            Store::Memory(store) if matches!(service.kept, Kept::WithoutStore) => {
                self.build(service, Auth::builder(), store.clone())
            }
            Store::Memory(store) => self.build(service, Auth::builder().store(store.clone()), store.clone()),
            Store::Redb(store, _) => self.build(service, Auth::builder().store(store.clone()), store.clone()),
        }
    }

    fn build(&self, service: &Service, builder: AuthBuilder, keys: impl ApiKeyStore) -> Auth {
        let mut builder = builder.clock(self.clock.clone()).leeway(Duration::ZERO);
        for (issuer, key) in ISSUERS.iter().zip(&*KEYS) {
            builder = builder.issuer(TrustedIssuer::new(*issuer).audience("orders").key(key.verifying_key()));
        }
        for (source, table) in service.sources[2..].iter().zip(&self.tables) {
            builder = builder.authenticator_with(source.name, place(source.place), look_up, table.clone());
        }
        let mut api_keys = ApiKeys::at(place(service.sources[4].place))
            .prefix("acme")
            .cache_for(seconds(service.remember_keys_for))
            .store(keys);
        for (key, row) in &self.static_keys {
            let mut options = options(&row.caller);
            if let Some(time) = row.expires_at {
                options = options.expires_at(UNIX_EPOCH + seconds(time));
            }
            api_keys = api_keys.static_key(key.hash(), row.caller.subject, options);
        }
        builder = builder.api_keys(api_keys);
        if let Some(times) = service.users {
            let cache = UserCache::new().time(seconds(times.found)).missing(seconds(times.missing), 100);
            builder = builder.users(self.people.clone()).user_cache(cache);
        }
        builder.build().unwrap()
    }

    /// The text of a key of another service, whose keys are in the same store.
    pub(super) async fn key_of_another(&self) -> String {
        let api_keys = ApiKeys::default().prefix("other");
        let api_keys = match &self.store {
            Store::Memory(store) => api_keys.store(store.clone()),
            Store::Redb(store, _) => api_keys.store(store.clone()),
        };
        let other = Auth::builder().clock(self.clock.clone()).api_keys(api_keys).build().unwrap();
        let key = other.api_keys().unwrap().create("ann", ApiKeyOptions::new()).await.unwrap();
        key.text().to_owned()
    }
}

pub(super) fn options(caller: &Caller) -> ApiKeyOptions {
    let Caller { roles, scopes, permissions, .. } = caller;
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    ApiKeyOptions::new().roles(names(roles)).scopes(names(scopes)).permissions(names(permissions))
}

/// Now, in seconds since the epoch.
pub(super) fn unix(clock: &TestClock) -> i64 {
    let now = clock.now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    i64::try_from(now).unwrap()
}
