//! The options of the command line.

use auth_runtime::session::BoxError;

use crate::settings::StoreKind;

const USAGE: &str = "usage: cluster [--store redis|postgres] [--url redis://..|postgres://..]";

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) store: StoreKind,
    /// Of a server that is there. Without it one is started.
    pub(super) url: Option<String>,
}

impl Options {
    pub(super) fn parse(arguments: &[&str]) -> Result<Self, BoxError> {
        let (mut store, mut url) = (None, None);
        let (pairs, rest) = arguments.as_chunks();
        for [name, value] in pairs {
            match *name {
                "--store" => store = Some(StoreKind::named(value)?),
                "--url" => url = Some((*value).to_owned()),
                _ => return Err(USAGE.into()),
            }
        }
        if !rest.is_empty() {
            return Err(USAGE.into());
        }
        let of_url = url.as_deref().map(StoreKind::of_url).transpose()?;
        if let (Some(store), Some(of_url)) = (store, of_url)
            && store != of_url
        {
            return Err(format!(
                "the store is {}, and the URL is one of {}: write one of the two",
                store.name(),
                of_url.name()
            )
            .into());
        }
        Ok(Self { store: of_url.or(store).unwrap_or(StoreKind::Redis), url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_redis_unless_an_option_says_otherwise() {
        for (arguments, expected) in [
            (&[][..], Some((StoreKind::Redis, None))),
            (&["--store", "redis"], Some((StoreKind::Redis, None))),
            (&["--store", "postgres"], Some((StoreKind::Postgres, None))),
            (&["--url", "redis://h"], Some((StoreKind::Redis, Some("redis://h")))),
            (&["--url", "valkeys://h"], Some((StoreKind::Redis, Some("valkeys://h")))),
            (&["--url", "postgresql://h/d"], Some((StoreKind::Postgres, Some("postgresql://h/d")))),
            (
                &["--store", "postgres", "--url", "postgres://h"],
                Some((StoreKind::Postgres, Some("postgres://h"))),
            ),
            (&["--store", "redis", "--url", "postgres://h"], None),
            (&["--store", "mysql"], None),
            (&["--url", "mysql://h"], None),
            (&["--url", "redis"], None),
            (&["--url"], None),
            (&["--port", "1"], None),
            (&["instance", "--store", "redis"], None),
        ] {
            let expected = expected.map(|(store, url)| Options { store, url: url.map(str::to_owned) });
            assert_eq!(Options::parse(arguments).ok(), expected, "{arguments:?}");
        }
    }
}
