//! What the policies mean, for every kind of caller and article.

use auth_runtime::testing::TestUser;

use super::*;
use crate::articles::State;

#[test]
fn the_policies_say_what_is_meant() -> Result<(), BoxError> {
    let policies = Policies::load(&policies::folder())?;
    for case in 0..32 {
        let [is_owner, is_in_team, is_editor, is_published, edits] =
            [1, 2, 4, 8, 16].map(|bit| case & bit != 0);
        let user = TestUser::new(if is_owner { "alice" } else { "eve" })
            .claim("team", if is_in_team { "physics" } else { "biology" })
            .roles(is_editor.then_some("editor"))
            .principal();
        let article = Article {
            id: 7,
            owner: "alice".to_owned(),
            team: "physics".to_owned(),
            state: if is_published { State::Published } else { State::Draft },
            text: String::new(),
            version: 1,
        };
        let expected = match (edits, is_published) {
            (false, true) => true,
            (false, false) => is_owner || is_in_team,
            (true, false) => is_owner || (is_editor && is_in_team),
            (true, true) => is_editor && (is_owner || is_in_team),
        };
        let action = if edits { Action::Edit } else { Action::View };
        let decision = policies.decide(&user, action, &article);
        assert_eq!(decision.is_ok(), expected, "{decision:?}, {action:?} of {article:?} by {user:?}");
    }
    Ok(())
}

/// The reason reaches the audit hook, which names the policies.
#[test]
fn a_denial_names_its_policies() -> Result<(), BoxError> {
    let policies = Policies::load(&policies::folder())?;
    let articles = Articles::seeded();
    let reason = |user: &TestUser, id, action| -> Result<_, BoxError> {
        let article = articles.load(id)?.ok_or("the article is gone")?;
        Ok(policies.decide(&user.principal(), action, &article))
    };
    let alice = TestUser::new("alice");
    assert_eq!(reason(&alice, 1, Action::View)?, Ok(()));
    assert_eq!(
        reason(&alice, 1, Action::Edit)?,
        Err("Cedar denies `edit`: `only editors change what is published`".to_owned())
    );
    assert_eq!(
        reason(&TestUser::new("eve"), 2, Action::View)?,
        Err("Cedar denies `view`: no policy permits it".to_owned())
    );
    Ok(())
}

/// What the token says is data: it can't become a part of a policy, another user, or a team.
#[test]
fn claims_of_any_form_grant_nothing() -> Result<(), BoxError> {
    let policies = Policies::load(&policies::folder())?;
    let draft = Articles::seeded().load(2)?.ok_or("article 2 is gone")?;
    let quotes = r#"alice" || true || ""#;
    for user in [
        TestUser::new(quotes),
        TestUser::new(r#"User::"alice""#),
        TestUser::new("eve").roles(["Team::\"physics\"", "physics", quotes]),
        TestUser::new("eve").claim("team", ["physics"]),
        TestUser::new("eve").claim("team", 1),
        TestUser::new("eve").claim("team", r#"physics" "#),
        TestUser::new("eve").claim("team", "Physics").claim("owner", "alice"),
    ] {
        assert!(policies.decide(&user.principal(), Action::View, &draft).is_err(), "{user:?}");
    }
    Ok(())
}
