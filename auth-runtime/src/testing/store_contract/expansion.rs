//! The macro that a user calls. The rules of each trait are in macros of `rules`, which call back with their list.

/// Makes a module with a test for each rule that a store must satisfy: the contract of its traits.
///
/// ```
/// # use auth_runtime::store::MemoryStore as CustomStore;
/// #[cfg(test)]
/// auth_runtime::testing::store_contract! { mod contract: RevocationLog, RefreshTokenStore; open: CustomStore::new() }
/// # fn main() {}
/// ```
///
/// Write it in the file of the store, or in `tests/`. It makes `#[test]` functions, each on a runtime of its own, so `[dev-dependencies]`
/// needs this crate with `test-util` and nothing else. A test that fails says which rule of which trait the store breaks, why the rule
/// matters, and what was found.
///
/// | part | tests |
/// |---|---|
/// | `RevocationLog` | [`RevocationLog`](crate::store::RevocationLog) |
/// | `RefreshTokenStore` | [`RefreshTokenStore`](crate::store::RefreshTokenStore) |
/// | `ApiKeyStore` | `ApiKeyStore` (feature `api-keys`) |
/// | `AttemptStore` | `AttemptStore` (feature `token-routes`) |
/// | `wake_up` | [`wait_for_entries`](crate::store::RevocationLog::wait_for_entries), for a log that implements it |
/// | `shared` | all of the above between two instances that have the store open: each call goes to the other one |
/// | `durable` | what was acknowledged is there when the store is opened again; for all parts but `AttemptStore` |
///
/// `open` is an expression for the store, which may await. Each test opens it once, those of `shared` twice, and those of `durable` several
/// times, one after the other. Every test needs an empty store of its own: `setup` makes the place where `open` finds it, such as a folder or a new schema.
/// Attributes are put on every test:
///
/// ```
/// # mod tempfile { pub fn tempdir() -> std::io::Result<()> { Ok(()) } }
/// # struct FileStore;
/// # impl FileStore { async fn open(_: &()) -> Result<auth_runtime::store::MemoryStore, ()> { Err(()) } }
/// auth_runtime::testing::store_contract! {
///     #[ignore = "takes a minute on a slow disk"]
///     mod file_store: RevocationLog, RefreshTokenStore, durable;
///     setup: folder = tempfile::tempdir().unwrap();
///     open: FileStore::open(&folder).await.unwrap()
/// }
/// # fn main() {}
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __store_contract {
    (
        $(#[$attribute:meta])*
        mod $name:ident: $($part:ident),+ $(,)?;
        $(setup: $place:ident = $new:expr;)?
        open: $open:expr $(;)?
    ) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $crate::__store_contract! {
                @parts [[$(#[$attribute])*] [$($place = $new)?] [$open] ["the store"]] [$($part)+] $($part)+
            }
        }
    };
    (@parts $context:tt $parts:tt $($part:ident)+) => {
        $($crate::__store_contract! { @part $part $context $parts })+
    };
    (@part RevocationLog $context:tt $parts:tt) => { $crate::__revocation_log_rules! { $context revocation_log } };
    (@part RefreshTokenStore $context:tt $parts:tt) => { $crate::__refresh_token_rules! { $context refresh_tokens } };
    (@part ApiKeyStore $context:tt $parts:tt) => { $crate::__api_key_rules! { $context api_keys } };
    (@part AttemptStore $context:tt $parts:tt) => { $crate::__attempt_rules! { $context attempts } };
    (@part durable $context:tt [$($part:ident)+]) => {
        mod durable {
            #[allow(unused_imports)]
            use super::*;

            $($crate::__store_contract! { @durable $part $context })+
        }
    };
    (@part shared [$attributes:tt $setup:tt [$open:expr] $store:tt] [$($part:ident)+]) => {
        mod shared {
            #[allow(unused_imports)]
            use super::*;

            $($crate::__store_contract! {
                @shared $part [
                    $attributes $setup [$crate::testing::store_contract::TwoInstances::new($open, $open)]
                    ["the store, which two instances have open whose calls alternate,"]
                ]
            })+
        }
    };
    (@part wake_up $context:tt $parts:tt) => {
        mod wake_up {
            #[allow(unused_imports)]
            use super::*;

            $crate::__revocation_log_rules! { $context revocation_log wake_up }
        }
    };
    (@part $other:ident $context:tt $parts:tt) => {
        ::core::compile_error!(::core::concat!(
            "`", ::core::stringify!($other), "` is no part of the contract of a store: write `RevocationLog`, \
            `RefreshTokenStore`, `ApiKeyStore`, `AttemptStore`, `wake_up`, `shared` for a store of several instances, or `durable` for \
            one that is opened again"
        ));
    };
    (@shared shared $context:tt) => {};
    (@shared durable $context:tt) => {};
    (@shared $part:ident $context:tt) => { $crate::__store_contract! { @part $part $context [] } };
    (@durable RevocationLog $context:tt) => { $crate::__revocation_log_rules! { $context revocation_log durable } };
    (@durable RefreshTokenStore $context:tt) => { $crate::__refresh_token_rules! { $context refresh_tokens durable } };
    (@durable ApiKeyStore $context:tt) => { $crate::__api_key_rules! { $context api_keys durable } };
    (@durable $other:ident $context:tt) => {};
    (@tests $context:tt $module:ident $contract:literal $($test:ident: $rule:literal, $why:literal;)+) => {
        mod $module {
            #[allow(unused_imports)]
            use super::*;

            $($crate::__store_contract! { @test $context $module $contract $test $rule $why })+
        }
    };
    (
        @test [[$(#[$attribute:meta])*] [$($place:ident = $new:expr)?] [$open:expr] [$store:literal]]
        $module:ident $contract:literal $test:ident $rule:literal $why:literal
    ) => {
        #[test]
        $(#[$attribute])*
        fn $test() {
            $crate::testing::store_contract::run($store, $contract, $rule, $why, async {
                $(let $place = $new;)?
                $crate::testing::store_contract::$module::$test(async || $open).await
            });
        }
    };
}
