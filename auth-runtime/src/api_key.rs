//! API keys: credentials for programs, which the service makes and stores as hashes.
//!
//! | item | purpose |
//! |---|---|
//! | [`ApiKeys`] | where keys are in a request, and where they are stored: for [`AuthBuilder::api_keys`](crate::AuthBuilder::api_keys) |
//! | [`ApiKeyService`] | makes, lists, rotates and revokes keys: from [`Auth::api_keys`](crate::Auth::api_keys) |
//! | [`ApiKeyOptions`] | what a key is made with |
//! | [`NewApiKey`] | a new key, whose text is shown once |
//! | [`ApiKeyList`], [`ApiKey`] | the keys of an owner |
//! | [`ApiKeyError`], [`NoApiKeys`] | why nothing was done |
//!
//! A key is a text such as `acme_live_7CXyPqKwDf3hZ09sVbN2Lm_uT4kGJ8rWc1xQeYa5nBz7MvHd2P4PargC`: a prefix that the service chooses, an id of 22
//! letters and digits, `_`, a secret of 27 letters and digits (160 random bits), and a checksum of 6. A mistyped key is found by its
//! checksum, and so is a leaked one by a program that looks for secrets: `acme_live_[0-9A-Za-z]{22}_[0-9A-Za-z]{33}`. The checksum is
//! CRC-32 (IEEE 802.3) of what is before it, in base62 with the digits `0-9A-Za-z`.
//!
//! Of a key, the store has the id and the SHA-256 of the text. A slow hash is for passwords, which can be guessed: a secret of 160 random
//! bits can't.
//!
//! The caller of a request with a key is its owner: [`Principal::subject`](crate::Principal::subject), with the roles, scopes and
//! permissions of the key. Its [`token_id`](crate::Principal::token_id) is the id of the key, and its
//! [`issuer`](crate::Principal::issuer) is one that no token can have. A [page of the guide](crate::guide::api_keys) shows a service.

mod config;
mod ending;
mod error;
mod keys;
mod last_uses;
mod list;
mod new_key;
mod options;
mod service;
mod text;

pub use self::config::ApiKeys;
pub use self::error::{ApiKeyError, NoApiKeys};
pub(crate) use self::keys::ApiKeyState;
pub use self::list::{ApiKey, ApiKeyList};
pub use self::new_key::NewApiKey;
pub use self::options::ApiKeyOptions;
pub use self::service::ApiKeyService;
