//! What a store must keep, whichever it is. A further store is one more line of `stores!`.

mod api_keys;
mod families;
mod log;
mod reopened;

use auth_runtime::store::{MemoryStore, RedbStore};

/// Odd, but strings all the same; the last is of a length that a column may not have.
fn odd_strings() -> Vec<String> {
    let odd = ["", " ", "\0", "a\0b", "Ω é e\u{301} 🦀\u{202e}", "'; drop table \"log\" --\n%_\\"];
    odd.into_iter().map(String::from).chain(["x".repeat(1024)]).collect()
}

/// Makes a module of tests for each store: its name, a place that is new for each test, and how the store is opened there.
/// One that is `durable` is opened there again, and has kept everything. One of `api_keys` keeps API keys too.
macro_rules! stores {
    ($($name:ident $(($($kind:ident),+))?: $place:ident = $new:expr => $open:expr;)*) => {$(
        mod $name {
            use super::*;

            stores!(@tests log $place $new, $open;
                entries_come_back_in_order_and_in_pages
                a_cursor_never_yields_what_lies_before_it
                a_cursor_of_another_history_is_found_out
                the_last_that_was_dropped_is_that_with_the_highest_sequence
                a_wake_up_comes_only_for_new_entries
                the_store_s_clock_is_near_that_of_this_machine_if_it_has_one
                cursors_go_on_when_everything_was_dropped
                an_append_is_readable_at_once_and_whole
                a_reader_beside_writers_misses_nothing
                every_entry_comes_back_as_it_was
                only_entries_that_expired_before_now_are_dropped
                dropping_entries_says_whether_more_are_left_and_ends
                a_clock_before_the_epoch_drops_no_entry
                the_confirmed_time_is_remembered_if_any_is
            );
            stores!(@tests families $place $new, $open;
                a_family_comes_back_as_it_was
                a_family_is_replaced_only_at_the_expected_version
                a_missing_family_is_not_replaced_and_not_made
                of_a_hundred_simultaneous_replaces_one_is_true
                every_replace_that_is_true_is_a_version
                removed_families_are_gone_and_missing_ones_are_no_error
                a_subject_has_exactly_its_own_families
                expired_families_are_dropped_everywhere
                a_replaced_family_expires_when_its_new_row_says
                dropping_families_says_whether_more_are_left_and_ends
                a_clock_before_the_epoch_drops_no_family
            );
            $($(stores!(@$kind $place $new, $open);)+)?
        }
    )*};
    (@api_keys $place:ident $new:expr, $open:expr) => {
        stores!(@tests api_keys $place $new, $open;
            a_key_comes_back_as_it_was
            an_owner_has_exactly_its_own_keys
            keys_of_an_owner_come_in_pages_by_id
            a_key_is_rotated_only_at_the_expected_version
            of_many_simultaneous_rotations_one_is_true
            a_revoked_key_stays_revoked
            the_last_use_is_the_latest
            only_keys_that_have_ended_are_dropped
            dropping_keys_says_whether_more_are_left_and_ends
            a_clock_before_the_epoch_drops_no_key
        );
    };
    (@durable_api_keys $place:ident $new:expr, $open:expr) => {
        stores!(@tests api_keys $place $new, $open; keys_are_there_when_it_is_opened_again);
    };
    (@durable $place:ident $new:expr, $open:expr) => {
        stores!(@tests reopened $place $new, $open;
            entries_are_there_when_it_is_opened_again
            the_confirmed_time_is_there_when_it_is_opened_again
            cursors_go_on_when_it_is_opened_again
            families_are_there_when_it_is_opened_again
        );
    };
    (@tests $contract:ident $place:ident $new:expr, $open:expr; $($test:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            let $place = $new;
            $contract::$test(async || $open).await;
        }
    )*};
}

stores! {
    memory(api_keys): _place = () => MemoryStore::new();
    custom: _place = () => custom_store::CustomStore::default(); // that of examples/custom-store
    redb(durable, api_keys, durable_api_keys): dir = tempfile::tempdir().unwrap() => RedbStore::open(dir.path().join("store")).unwrap();
}
