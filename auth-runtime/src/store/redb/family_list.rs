//! The families of an issuer, page by page.

use std::ops::Bound;

use ::redb::ReadTransaction;

use super::failure::Failure;
use super::tables::{BY_SUBJECT, FAMILIES, from_json};
use crate::store::{FamilyId, RefreshTokenFamily};

/// At most so many families, in the order of subjects and ids.
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
        found.extend(families.get(id)?.map(|row| from_json(row.value())).transpose()?);
    }
    Ok(found)
}
