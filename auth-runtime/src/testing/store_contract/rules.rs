//! The rules of each trait: the name of its function, the rule in words, and why it matters. What follows `durable` is for a store that is
//! opened again.

/// The rules of [`RevocationLog`](crate::store::RevocationLog).
#[doc(hidden)]
#[macro_export]
macro_rules! __revocation_log_rules {
    ($context:tt $module:ident) => { $crate::__store_contract! { @tests $context $module "RevocationLog"
        entries_come_back_in_order_and_in_pages:
            "`read` returns the entries after the cursor, oldest first and at most `limit`, and the cursor of the last",
            "an instance that does not get an entry lets a revoked token through";
        a_cursor_yields_exactly_what_is_after_it:
            "`read` returns all entries after the one that the cursor names, and no other",
            "an instance reads on from the last entry that it got, and reads none of the others again";
        an_entry_comes_back_as_it_was:
            "`tag`, `keep_until` and `bytes` come back as they were appended, whatever they are, and also if they are there already",
            "another version of the library reads them, and a revocation that can't be read is not enforced";
        a_cursor_of_another_history_is_noticed:
            "`read` after a cursor whose sequence has no entry or one with another tag is `AnotherHistory`; `START` is always known",
            "a store that was set back has lost revocations: each instance appends its own again, when it notices";
        of_dropped_entries_the_last_is_known:
            "of the entries that were dropped, the cursor of the one with the highest sequence is known, and no other",
            "an instance that has read everything must not read the whole log again whenever something expires, and one that was away \
             for so long that it missed entries must";
        sequences_go_on_when_everything_was_dropped:
            "a sequence is never used again, also when all entries were dropped",
            "an instance that reads on from an earlier cursor would miss the entries that have the same or a lower sequence";
        an_append_is_readable_at_once_and_whole:
            "an append is there when it is acknowledged, and no reader gets a part of it",
            "the process that has logged a user out reads its own log at once, and a logout has several entries";
        a_reader_beside_writers_misses_nothing:
            "after a reader has read up to a cursor, no entry appears before it, whatever is written at the same time",
            "a number from a sequence or a clock is taken before its transaction commits, so an entry with a lower number can become \
             visible later, and no instance ever reads it";
        only_entries_that_have_expired_are_dropped:
            "`drop_expired` drops entries whose `keep_until` is before the time, by whole seconds, in any order, and no others",
            "a revocation that is dropped too early is not enforced after the next start, while its token is still valid";
        dropping_entries_says_whether_more_are_left_and_ends:
            "`drop_expired` returns whether more entries can be dropped, and some calls drop them all",
            "the library calls it until there are no more: otherwise the log grows without end, or the calls do not end";
        a_clock_before_the_epoch_drops_no_entry:
            "`drop_expired` with a time at or before the epoch drops nothing",
            "such a clock is wrong, and as a number without a sign it may be the latest time of all";
        the_confirmed_time_is_remembered_if_any_is:
            "`confirmed_time` is the time that was last passed to `set_confirmed_time`, if the store remembers one",
            "the next process drops entries by it, if its own clock is wrong";
        a_wait_does_not_end_before_there_are_entries:
            "`wait_for_entries` does not complete while there is nothing after the cursor",
            "an instance that is woken for nothing reads the log again and again";
        a_store_that_can_be_written_says_so:
            "`check_writable` succeeds while the store can be written",
            "while it fails, the instance reports that it is not ready, and gets no requests";
        the_clock_of_the_store_shows_the_time:
            "`store_time` is the time of the store, in UTC, if it has a clock of its own",
            "entries are dropped by the earlier of both clocks, so a wrong one keeps them for too long or not long enough";
    } };
    ($context:tt $module:ident wake_up) => { $crate::__store_contract! { @tests $context $module "RevocationLog"
        a_wait_ends_when_there_are_entries:
            "`wait_for_entries` completes when there are entries after the cursor, also if they were there before, and if an earlier \
             wait was dropped",
            "an instance that is not woken reads the log a second later, and enforces a logout that much later";
    } };
    ($context:tt $module:ident durable) => { $crate::__store_contract! { @tests $context $module "RevocationLog"
        entries_are_there_when_it_is_opened_again:
            "entries that were acknowledged, and their cursors, are there when the store is opened again",
            "a revocation that is lost is not enforced after a restart, while its token is still valid";
        the_confirmed_time_is_there_when_it_is_opened_again:
            "`confirmed_time` is there when the store is opened again",
            "it is for the next process: without it, that one drops nothing in its first hour";
        cursors_go_on_when_it_is_opened_again:
            "sequences go on when the store is opened again, and the last dropped entry is still known",
            "another instance reads on from a cursor of before, and would miss the entries that have the same or a lower sequence";
    } };
}

/// The rules of [`RefreshTokenStore`](crate::store::RefreshTokenStore).
#[doc(hidden)]
#[macro_export]
macro_rules! __refresh_token_rules {
    ($context:tt $module:ident) => { $crate::__store_contract! { @tests $context $module "RefreshTokenStore"
        a_family_comes_back_as_it_was:
            "a family comes back as it was inserted, whatever its texts and numbers are",
            "issuers and subjects are any text, and a refresh compares what is stored with what was sent";
        a_family_is_replaced_only_at_the_expected_version:
            "`replace` replaces the whole row if its version is the expected one; otherwise it is `false` and changes nothing",
            "a stolen refresh token is noticed because its owner's use and the thief's can't both be the next";
        a_missing_family_is_not_replaced_and_not_made:
            "`replace` of a family that is not there is `false` and adds nothing",
            "a session that has ended would come back to life with the refresh that came at the same time";
        of_many_simultaneous_replaces_one_is_true:
            "of any number of simultaneous `replace` with the same expected version, exactly one is `true`",
            "two that are true make two valid refresh tokens of one session, and theft is not noticed";
        every_replace_that_is_true_is_a_version:
            "a `replace` that is `true` has replaced the row, and one that is `false` has not",
            "a client whose token was replaced and not stored is logged out";
        removed_families_are_gone_and_missing_ones_are_no_error:
            "`remove` removes all of these families; one that is missing is no error",
            "a session that was ended must not be refreshed, and two instances may end it at the same time";
        a_subject_has_exactly_its_own_families:
            "`find_by_subject` returns the families of this issuer and this subject, byte by byte, and no others",
            "it is the list of a user's sessions, and what `logout everywhere` ends";
        families_of_an_issuer_come_in_pages:
            "`list` returns the first families after the one that is named, at most `limit`, each once, those of a subject next to each other",
            "it is the list of all sessions, in which an administrator looks for one that must end";
        an_issuer_lists_exactly_its_own_families:
            "`list` returns the families of this issuer, byte by byte, and no others",
            "services that share a store would show their users to each other's administrators";
        a_family_keeps_its_place_in_the_list:
            "a family that is replaced between two pages of `list` keeps its place, and a page after a family that is gone goes on there",
            "sessions are refreshed all the time, and one that is on no page is not found, and not ended";
        only_families_that_have_expired_are_dropped:
            "`drop_expired` drops families whose `expires_at` is before the time, in any order, and no others",
            "the session of a family that is dropped too early has ended";
        a_replaced_family_expires_when_its_new_row_says:
            "a row expires by its own `expires_at`, and not by that of a row before it with the same id",
            "each refresh extends the session, which would end when its first token expires";
        dropping_families_says_whether_more_are_left_and_ends:
            "`drop_expired` returns whether more families can be dropped, and some calls drop them all",
            "the library calls it until there are no more: otherwise the table grows without end, or the calls do not end";
        a_clock_before_the_epoch_drops_no_family:
            "`drop_expired` with a time at or before the epoch drops nothing",
            "such a clock is wrong, and as a number without a sign it may be the latest time of all";
    } };
    ($context:tt $module:ident durable) => { $crate::__store_contract! { @tests $context $module "RefreshTokenStore"
        families_are_there_when_it_is_opened_again:
            "what was acknowledged is there when the store is opened again: inserted, replaced, removed and dropped families",
            "after a restart users would be logged out, or sessions that had ended would come back";
    } };
}

/// The rules of `ApiKeyStore`.
#[cfg(feature = "api-keys")]
#[doc(hidden)]
#[macro_export]
macro_rules! __api_key_rules {
    ($context:tt $module:ident) => { $crate::__store_contract! { @tests $context $module "ApiKeyStore"
        a_key_comes_back_as_it_was:
            "a key comes back as it was inserted, whatever its texts and numbers are, and is found by its whole id alone",
            "roles and scopes decide what a caller may do, and the hash decides who it is";
        an_owner_has_exactly_its_own_keys:
            "`find_by_owner` returns the keys of this prefix and this owner, byte by byte, and no others",
            "it is the list of an owner's keys, which the owner revokes from";
        keys_of_an_owner_come_in_pages_by_id:
            "`find_by_owner` returns at most `limit` keys after the id, in the order of the ids' bytes",
            "a key that is on no page can't be found, and is not revoked with the others";
        a_key_is_rotated_only_at_the_expected_version:
            "`rotate` changes the row and adds the next key if the version is the expected one; otherwise it is `false` and changes \
             nothing",
            "a key that was revoked would have a successor";
        of_many_simultaneous_rotations_one_is_true:
            "of any number of simultaneous `rotate` with the same expected version, exactly one is `true`, and adds one key",
            "a key that was added and not shown to anyone is valid, and nobody knows of it";
        a_revoked_key_stays_revoked:
            "the first `revoke` sets `revoked_at`, and no other call changes it",
            "a later time would let the key be used once more";
        the_last_use_is_the_latest:
            "`record_uses` sets `last_used_at` where it is earlier or missing, and adds no key",
            "instances write their uses in any order, and a key that was deleted must not come back";
        only_keys_that_have_ended_are_dropped:
            "`drop_ended` drops keys whose `ends_at` is before the time, in any order, and no others",
            "a key that is dropped too early is rejected";
        dropping_keys_says_whether_more_are_left_and_ends:
            "`drop_ended` returns whether more keys can be dropped, and some calls drop them all",
            "the library calls it until there are no more: otherwise the table grows without end, or the calls do not end";
        a_clock_before_the_epoch_drops_no_key:
            "`drop_ended` with a time at or before the epoch drops nothing",
            "such a clock is wrong, and as a number without a sign it may be the latest time of all";
    } };
    ($context:tt $module:ident durable) => { $crate::__store_contract! { @tests $context $module "ApiKeyStore"
        keys_are_there_when_it_is_opened_again:
            "what was acknowledged is there when the store is opened again: inserted, rotated, revoked and dropped keys, and uses",
            "after a restart a revoked key would be accepted, or a valid one would not";
    } };
}

/// The rules of `AttemptStore`.
#[cfg(feature = "token-routes")]
#[doc(hidden)]
#[macro_export]
macro_rules! __attempt_rules {
    ($context:tt $module:ident) => { $crate::__store_contract! { @tests $context $module "AttemptStore"
        as_many_attempts_are_counted_as_the_limit_allows:
            "as many attempts are counted at once as `burst` says, and no more",
            "each further attempt is a guess of somebody's password, and each one less locks a user out";
        the_wait_is_how_long_until_one_is_replenished:
            "`count` returns the time until one attempt is replenished, and a rejected attempt does not add to it",
            "it is `Retry-After` of the response, and a user whom somebody attacks would be locked out for ever";
        after_the_wait_an_attempt_is_counted:
            "after the returned time an attempt is counted; the time is longer than zero",
            "a client that comes back when it was told to must not be rejected again";
        idle_time_allows_no_more_than_the_burst:
            "no attempts are saved up beyond `burst`, however long there were none",
            "an attacker who waits for a night would have a thousand guesses at once in the morning";
        keys_are_counted_apart:
            "attempts are counted for the 16 bytes of the key, and for no other key",
            "attempts on one account would lock out others";
        attempts_are_counted_up_to_the_first_that_is_rejected:
            "attempts are counted in their order, up to the first whose limit rejects it, and nothing from that one on",
            "an address whose limit is reached must not use up the attempts of the accounts that it tries";
        the_limit_of_a_key_may_change:
            "attempts that were counted with one limit count for the next one too",
            "while a new version is being deployed, some instances have the former limit";
        of_simultaneous_attempts_no_more_are_counted_than_allowed:
            "of any number of simultaneous attempts no more are counted than the limit allows",
            "an attacker sends all guesses at once, to all instances";
        dropping_expired_attempts_ends_and_drops_no_others:
            "`drop_expired` drops keys whose attempts are all replenished, and no others, and returns whether there are more",
            "an attempt that is forgotten is a further guess, and rows that stay fill the store";
    } };
}

/// The rules of `ApiKeyStore` need a feature.
#[cfg(not(feature = "api-keys"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __api_key_rules {
    ($($context:tt)*) => {
        ::core::compile_error!("`ApiKeyStore` needs the feature `api-keys` of `auth-runtime`");
    };
}

/// The rules of `AttemptStore` need a feature.
#[cfg(not(feature = "token-routes"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __attempt_rules {
    ($($context:tt)*) => {
        ::core::compile_error!("`AttemptStore` needs the feature `token-routes` of `auth-runtime`");
    };
}
