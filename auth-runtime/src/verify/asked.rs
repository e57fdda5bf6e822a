//! Claims that were asked for as values.

use std::fmt;
use std::sync::OnceLock;

use serde_json::Value;

/// The values that were asked for: each is made once, and can be referred to from then on. A clone has none.
///
/// What is kept of a verified token has none either: a value takes many times its text.
#[derive(Default)]
pub(crate) struct Asked(OnceLock<Box<AskedClaim>>);

struct AskedClaim {
    name: Box<str>,
    value: Value,
    next: Asked,
}

impl Asked {
    /// Returns the value of this name. `find` makes it at the first time.
    pub(crate) fn get(&self, name: &str, find: impl FnOnce() -> Option<Value>) -> Option<&Value> {
        let mut place = self;
        while let Some(claim) = place.0.get() {
            if *claim.name == *name {
                return Some(&claim.value);
            }
            place = &claim.next;
        }
        let mut new = Box::new(AskedClaim { name: name.into(), value: find()?, next: Self::default() });
        // Another thread may ask at the same time, for the same or for another one.
        loop {
            let Err(lost) = place.0.set(new) else { return place.0.get().map(|claim| &claim.value) };
            let there = place.0.get()?;
            if *there.name == *name {
                return Some(&there.value);
            }
            (new, place) = (lost, &there.next);
        }
    }
}

impl Clone for Asked {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Nothing: the values may be personal data.
impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Asked;

    #[test]
    fn a_value_is_made_once_and_stays_where_it_is() {
        let asked = Asked::default();
        let first = asked.get("a", || Some(json!([1]))).unwrap();
        assert_eq!(asked.get("absent", || None), None);
        for (name, value) in [("b", json!("x")), ("c", Value::Null)] {
            assert_eq!(asked.get(name, || Some(value.clone())), Some(&value));
        }
        let again = asked.get("a", || panic!("it is known")).unwrap();
        assert!(std::ptr::eq(first, again));
        assert_eq!(asked.clone().get("a", || None), None);
    }

    #[test]
    fn threads_that_ask_at_once_get_the_same_values() {
        let asked = Asked::default();
        let ask = || {
            let name = |n: usize| (n % 7).to_string();
            (0..70).map(|n| asked.get(&name(n), || Some(json!(n % 7))).cloned()).collect::<Vec<_>>()
        };
        let all = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        let expected: Vec<_> = (0..70).map(|n| Some(json!(n % 7))).collect();
        assert!(all.iter().all(|values| *values == expected));
    }
}
