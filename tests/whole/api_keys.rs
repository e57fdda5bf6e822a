//! API keys: from the store to the answer, on each store.

mod again;
mod configuration;
mod cost;
mod credentials;
mod documents;
mod ended;
mod last_use;
mod service;
mod shop;
mod tenants;

use self::shop::Shop;
pub(crate) use self::shop::with_checksum;

/// Makes a module of tests for each store.
macro_rules! on_each_store {
    ($($family:ident: $($test:ident)*;)*) => {
        mod memory {
            use super::*;
            $($(
                #[tokio::test]
                async fn $test() {
                    $family::$test(Shop::in_memory().await).await;
                }
            )*)*
        }

        mod redb {
            use super::*;
            $($(
                #[tokio::test]
                async fn $test() {
                    $family::$test(Shop::in_redb().await).await;
                }
            )*)*
        }
    };
}

on_each_store! {
    credentials:
        a_key_admits_its_owner_with_the_rights_of_the_key
        a_wrong_key_is_refused_and_a_typo_before_the_store_is_asked
        of_two_credentials_the_first_of_the_rule_decides
        a_store_that_cannot_be_reached_is_503
        a_key_in_the_query_changes_nothing
        a_key_in_a_cookie_is_of_no_use_to_another_page
        a_rule_on_the_login_is_403_for_a_key;
    ended:
        a_revoked_key_is_refused_at_once
        a_key_expires_at_its_second
        a_rotated_key_is_valid_within_the_overlap_and_not_after
        a_key_never_becomes_good_again
        a_socket_ends_with_its_key
        to_log_out_everywhere_does_not_concern_keys
        rows_of_keys_that_ended_are_dropped_after_a_month;
    again:
        a_revoked_key_does_not_end_again;
    tenants:
        engines_with_another_prefix_see_nothing_of_each_other
        instances_with_one_prefix_share_keys;
    service:
        a_list_has_the_keys_of_an_owner_in_pages
        all_keys_of_an_owner_are_revoked_and_no_others
        a_rotation_keeps_all_but_the_secret
        a_key_without_an_end_is_replaced_by_such_however_often
        of_many_rotations_at_once_one_is_done
        what_cannot_be_a_key_is_not_made
        each_thing_is_reported_once_with_its_actor
        no_secret_is_printed_or_logged;
    last_use:
        last_uses_are_written_once_a_minute
        a_store_that_fails_loses_last_uses_alone;
}
