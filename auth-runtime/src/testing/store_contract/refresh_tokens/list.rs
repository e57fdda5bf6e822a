//! The list of the families of an issuer, page by page.

use super::*;
use crate::testing::store_contract::ensure;

/// A list that does not end is not read for ever.
const MAX_PAGES: usize = 100;

/// The number of the `n`th family: not in the order of the subjects.
fn scattered(n: u128) -> u128 {
    n.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
}

/// The families after the last of those that were found already.
async fn next_page(
    store: &impl RefreshTokenStore,
    issuer: &str,
    found: &[RefreshTokenFamily],
    limit: usize,
) -> Result<Vec<RefreshTokenFamily>, Broken> {
    let after = found.last().map(|last| (last.subject.as_str(), last.id));
    let page = store.list(issuer, after, limit).await?;
    ensure(
        page.len() <= limit,
        format_args!("`list` with the limit {limit} returned {} families", page.len()),
    )?;
    Ok(page)
}

/// All families of an issuer, in pages of this size.
async fn read(
    store: &impl RefreshTokenStore,
    issuer: &str,
    limit: usize,
) -> Result<Vec<RefreshTokenFamily>, Broken> {
    let mut found = Vec::new();
    for _ in 0..MAX_PAGES {
        let page = next_page(store, issuer, &found, limit).await?;
        let is_last = page.len() < limit;
        found.extend(page);
        if is_last {
            return Ok(found);
        }
    }
    let families = found.len();
    Err(Broken(format!(
        "the list has no end: {families} families were found in {MAX_PAGES} pages of {limit}"
    )))
}

/// The ids, of which each must be there once.
fn ids_of(found: &[RefreshTokenFamily], of: &str) -> Result<BTreeSet<FamilyId>, Broken> {
    let ids: BTreeSet<_> = found.iter().map(|family| family.id).collect();
    equal(ids.len(), found.len(), format_args!("different families of {of}"))?;
    Ok(ids)
}

pub async fn families_of_an_issuer_come_in_pages<S: RefreshTokenStore>(open: impl AsyncFn() -> S) -> Checked {
    const SUBJECTS: [&str; 6] = ["s", "t", "", "s\0", "Ω \u{10ffff}", "st"];
    let store = open().await;
    equal(store.list("i", None, 10).await?, vec![], "the list of an empty store")?;
    let mut inserted = BTreeSet::new();
    for (number, subject) in (0..30).map(scattered).zip(SUBJECTS.into_iter().cycle()) {
        store.insert(family(number, "i", subject, 100)).await?;
        inserted.insert(id(number));
    }
    equal(store.list("i", None, 0).await?, vec![], "the list with the limit 0")?;
    for limit in [1, 2, 3, 7, 29, 30, 31, 1000] {
        let of = format!("the list in pages of {limit}");
        let found = read(&store, "i", limit).await?;
        equal(ids_of(&found, &of)?, inserted.clone(), format_args!("the families of {of}"))?;
        for family in &found {
            equal(store.find(family.id).await?.as_ref(), Some(family), "`find` of what `list` returned")?;
        }
        let mut subjects: Vec<_> = found.into_iter().map(|family| family.subject).collect();
        subjects.dedup();
        equal(subjects.len(), SUBJECTS.len(), format_args!("the runs of families of one subject in {of}"))?;
    }
    Ok(())
}

pub async fn an_issuer_lists_exactly_its_own_families<S: RefreshTokenStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let store = open().await;
    let issuers: BTreeSet<&str> =
        USERS.iter().map(|(issuer, _)| *issuer).chain(["\"i\"", "é", "e\u{301}"]).collect();
    let mut expected = Vec::new();
    for (issuer, first) in issuers.into_iter().zip((1..).map(|n: u128| n << 8)) {
        let mut own = BTreeSet::new();
        let subjects = USERS.iter().filter(|(of, _)| *of == issuer).map(|(_, subject)| *subject).chain(["x"]);
        for (subject, number) in subjects.zip((first..).map(scattered)) {
            store.insert(family(number, issuer, subject, 100)).await?;
            own.insert(id(number));
        }
        expected.push((issuer, own));
    }
    // What looks like another issuer in the text of a row.
    let text = "\",\"issuer\":\"i\",\"";
    let odd = family(7, "a\",\"issuer\":\"i", text, 100);
    store.insert(RefreshTokenFamily { label: Some(text.into()), acr: Some(text.into()), ..odd }).await?;
    for limit in [2, 1000] {
        for (issuer, own) in &expected {
            let of = format!("issuer {issuer:?}");
            let found = read(&store, issuer, limit).await?;
            equal(ids_of(&found, &of)?, own.clone(), format_args!("the families of {of}"))?;
        }
        for issuer in ["j", "I", "i ", "i\u{1}", "x", "s", "a"] {
            let found = read(&store, issuer, limit).await?;
            equal(found, vec![], format_args!("the families of issuer {issuer:?}, which has none"))?;
        }
    }
    Ok(())
}

pub async fn a_family_keeps_its_place_in_the_list<S: RefreshTokenStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let store = open().await;
    let places = (0..24).map(scattered).zip(["s", "t", "u"].into_iter().cycle());
    let mut rows: Vec<_> = places.map(|(number, subject)| family(number, "i", subject, 100)).collect();
    for row in &rows {
        store.insert(row.clone()).await?;
    }
    let all: BTreeSet<_> = rows.iter().map(|row| row.id).collect();
    let mut found = Vec::new();
    for _ in 0..MAX_PAGES {
        let page = next_page(&store, "i", &found, 2).await?;
        if page.is_empty() {
            return equal(
                ids_of(&found, "the list")?,
                all,
                "the families of a list that were there all the while",
            );
        }
        found.extend(page);
        // Those that were found and those that were not, so that each would be elsewhere by its times or its version.
        for row in rows.iter_mut().step_by(3) {
            let next = RefreshTokenFamily {
                version: row.version + 1,
                generation: row.generation + 1,
                rotated_at: row.rotated_at + 10,
                expires_at: row.expires_at + 10,
                ..row.clone()
            };
            if store.replace(row.version, next.clone()).await? {
                *row = next;
            }
        }
        // The one that the next page comes after is gone.
        store.remove(found.last().map(|last| last.id).into_iter().collect()).await?;
    }
    Err(Broken(format!("the list has no end: {} families were found", found.len())))
}
