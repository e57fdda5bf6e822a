//! The profile OpaqueString of RFC 8265 §4.2: the one text that all ways to type a password have in common.
//!
//! The properties are those of current Unicode. The registry of IANA, which the crate `precis-core` follows, has those of Unicode 6.3:
//! with it, no character that is newer than 2013 could be in a password.

use std::ops::RangeInclusive;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{
    CanonicalCombiningClass, DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup,
    HangulSyllableType, JoiningType, Script,
};
use icu_properties::{CodePointMapData, CodePointSetData};

const ARABIC_INDIC_DIGITS: RangeInclusive<char> = '\u{660}'..='\u{669}';
const EXTENDED_ARABIC_INDIC_DIGITS: RangeInclusive<char> = '\u{6F0}'..='\u{6F9}';

/// Returns the text with each space as U+0020 and in NFC (RFC 8265 §4.2.2); `None` if it is empty or has a character that the profile
/// does not allow (§4.2.1).
///
/// Characters are checked first, as §4.2.2 says. So U+0387 of a Greek keyboard is allowed, although NFC makes U+00B7 of it.
pub(super) fn enforce(text: &str) -> Option<String> {
    if !is_allowed(text) {
        return None;
    }
    let category = CodePointMapData::<GeneralCategory>::new();
    let is_space = |character| category.get(character) == GeneralCategory::SpaceSeparator;
    let spaced: String =
        text.chars().map(|character| if is_space(character) { ' ' } else { character }).collect();
    Some(ComposingNormalizerBorrowed::new_nfc().normalize(&spaced).into_owned())
}

/// Whether the text is not empty and conforms to the FreeformClass (RFC 8264 §4.3).
fn is_allowed(text: &str) -> bool {
    let has = |digits: RangeInclusive<char>| text.chars().any(|digit| digits.contains(&digit));
    // RFC 5892 A.8 and A.9: the two kinds of digits are not mixed.
    let mixes_digits = has(ARABIC_INDIC_DIGITS) && has(EXTENDED_ARABIC_INDIC_DIGITS);
    // A.7: somewhere in the text is a character of a Japanese script.
    let lacks_japanese = text.contains('・') && !text.chars().any(is_japanese);
    let is_allowed = |(at, character): (usize, char)| match derived_property(character) {
        DerivedProperty::Valid => true,
        DerivedProperty::Disallowed => false,
        DerivedProperty::Contextual => {
            let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
            let after = after.get(character.len_utf8()..).unwrap_or_default();
            has_context(character, before, after)
        }
    };
    !text.is_empty() && !mixes_digits && !lacks_japanese && text.char_indices().all(is_allowed)
}

/// What the FreeformClass makes of a character (RFC 8264 §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DerivedProperty {
    /// PVALID or FREE_PVAL.
    Valid,
    /// CONTEXTJ or CONTEXTO.
    Contextual,
    /// DISALLOWED or UNASSIGNED.
    Disallowed,
}

/// The algorithm of RFC 8264 §8, in its order.
pub(super) fn derived_property(character: char) -> DerivedProperty {
    match character {
        // Exceptions (§9.6).
        'ß' | 'ς' | '\u{6FD}' | '\u{6FE}' | '\u{F0B}' | '\u{3007}' => return DerivedProperty::Valid,
        '·' | '\u{375}' | '\u{5F3}' | '\u{5F4}' | '・' => return DerivedProperty::Contextual,
        digit if ARABIC_INDIC_DIGITS.contains(&digit) || EXTENDED_ARABIC_INDIC_DIGITS.contains(&digit) => {
            return DerivedProperty::Contextual;
        }
        '\u{640}' | '\u{7FA}' | '\u{302E}' | '\u{302F}' | '\u{3031}'..='\u{3035}' | '\u{303B}' => {
            return DerivedProperty::Disallowed;
        }
        // JoinControl (§9.8).
        '\u{200C}' | '\u{200D}' => return DerivedProperty::Contextual,
        _ => {}
    }
    // OldHangulJamo (§9.9) and PrecisIgnorableProperties (§9.13).
    let is_old_jamo = matches!(
        CodePointMapData::<HangulSyllableType>::new().get(character),
        HangulSyllableType::LeadingJamo | HangulSyllableType::VowelJamo | HangulSyllableType::TrailingJamo
    );
    if is_old_jamo || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character) {
        return DerivedProperty::Disallowed;
    }
    // LetterDigits, OtherLetterDigits, Spaces, Symbols, Punctuation (§9.1, §9.14 to §9.18). HasCompat (§9.17) adds no character to these.
    let allowed = GeneralCategoryGroup::Letter
        .union(GeneralCategoryGroup::Mark)
        .union(GeneralCategoryGroup::Number)
        .union(GeneralCategoryGroup::Symbol)
        .union(GeneralCategoryGroup::Punctuation)
        .union(GeneralCategoryGroup::SpaceSeparator);
    if allowed.contains(CodePointMapData::<GeneralCategory>::new().get(character)) {
        DerivedProperty::Valid
    } else {
        DerivedProperty::Disallowed
    }
}

/// Whether a contextual character may be between what is before and after it (RFC 5892 A.1 to A.6).
fn has_context(character: char, before: &str, after: &str) -> bool {
    let script = CodePointMapData::<Script>::new();
    let previous = before.chars().next_back();
    let next = after.chars().next();
    match character {
        '\u{200C}' => previous.is_some_and(is_virama) || is_between_joining(before, after),
        '\u{200D}' => previous.is_some_and(is_virama),
        '·' => previous == Some('l') && next == Some('l'),
        '\u{375}' => next.is_some_and(|next| script.get(next) == Script::Greek),
        '\u{5F3}' | '\u{5F4}' => previous.is_some_and(|previous| script.get(previous) == Script::Hebrew),
        // A.7 to A.9 concern the whole text.
        _ => true,
    }
}

fn is_virama(character: char) -> bool {
    CodePointMapData::<CanonicalCombiningClass>::new().get(character) == CanonicalCombiningClass::Virama
}

/// Whether a character of joining type L or D is before, and one of R or D is after, with those of type T between (RFC 5892 A.1).
fn is_between_joining(before: &str, after: &str) -> bool {
    let left = joining_type(before.chars().rev());
    let right = joining_type(after.chars());
    matches!(left, Some(JoiningType::LeftJoining | JoiningType::DualJoining))
        && matches!(right, Some(JoiningType::RightJoining | JoiningType::DualJoining))
}

/// The joining type of the first character that is not transparent.
fn joining_type(characters: impl Iterator<Item = char>) -> Option<JoiningType> {
    let joining = CodePointMapData::<JoiningType>::new();
    let mut types = characters.map(|character| joining.get(character));
    types.find(|joining| *joining != JoiningType::Transparent)
}

fn is_japanese(character: char) -> bool {
    let script = CodePointMapData::<Script>::new().get(character);
    [Script::Hiragana, Script::Katakana, Script::Han].contains(&script)
}

#[cfg(test)]
mod tests;
