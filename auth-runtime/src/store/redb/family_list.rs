//! The families of an issuer, page by page.

use std::ops::Bound;

use ::redb::ReadTransaction;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::failure::Failure;
use super::tables::{BY_SUBJECT, FAMILIES, from_json};
use crate::store::{FamilyId, RefreshTokenFamily, trace_not_listed};

/// At most so many families, in the order of subjects and ids. One that can't be read is left out, so that staff sees the others.
pub(super) fn page(
    transaction: &ReadTransaction,
    issuer: &str,
    after: Option<(String, FamilyId)>,
    limit: usize,
) -> Result<Vec<RefreshTokenFamily>, Failure> {
    let by_subject = transaction.open_table(BY_SUBJECT)?;
    let families = transaction.open_table(FAMILIES)?;
    let first = match &after {
        None => Bound::Included((issuer, "", FamilyId::default())),
        Some((subject, id)) => Bound::Excluded((issuer, subject.as_str(), *id)),
    };
    let mut found = Vec::new();
    for row in by_subject.range((first, Bound::Unbounded))? {
        if found.len() >= limit {
            break;
        }
        let (key, _) = row?;
        let (row_issuer, _, id) = key.value();
        if row_issuer != issuer {
            break;
        }
        let Some(row) = families.get(id)? else { continue };
        match from_json(row.value()) {
            Ok(family) => found.push(family),
            Err(_) => trace_not_listed(&URL_SAFE_NO_PAD.encode(id)),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use ::redb::Database;

    use super::*;
    use crate::store::{RedbStore, RefreshTokenStore as _, StoredSessionData};

    fn family(number: u8) -> RefreshTokenFamily {
        RefreshTokenFamily {
            id: [number; 16],
            issuer: "i".into(),
            subject: "s".into(),
            key_id: "k".into(),
            generation: 1,
            version: 1,
            started_at: 1,
            rotated_at: 1,
            expires_at: 4_000_000_000,
            last_issued_at: 1,
            user_generation: 0,
            issuer_generation: 0,
            acr: None,
            reissued: false,
            ends_with_browser: false,
            label: None,
            data: StoredSessionData::default(),
        }
    }

    /// No page is taken for the last because a row was left out.
    #[tokio::test]
    async fn a_row_that_can_not_be_read_is_left_out_and_the_others_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = RedbStore::open(&path).unwrap();
        for number in 1..=6 {
            store.insert(family(number)).await.unwrap();
        }
        drop(store);
        let database = Database::open(&path).unwrap();
        let writing = database.begin_write().unwrap();
        for number in [2, 3, 5] {
            let row = br#"{"issuer":"i","subject":7}"#;
            writing.open_table(FAMILIES).unwrap().insert([number; 16], row.as_slice()).unwrap();
        }
        writing.commit().unwrap();
        drop(database);
        let store = RedbStore::open(&path).unwrap();
        for limit in [1, 2, 3, 4, 100] {
            let mut found: Vec<RefreshTokenFamily> = Vec::new();
            loop {
                let after = found.last().map(|last| (last.subject.clone(), last.id));
                let after = after.as_ref().map(|(subject, id)| (subject.as_str(), *id));
                let page = store.list("i", after, limit).await.unwrap();
                let is_last = page.len() < limit;
                found.extend(page);
                if is_last {
                    break;
                }
            }
            assert_eq!(found.iter().map(|family| family.id[0]).collect::<Vec<_>>(), [1, 4, 6], "{limit}");
        }
        assert!(store.find([2; 16]).await.is_err(), "where it alone is asked for, it is an error");
    }
}
