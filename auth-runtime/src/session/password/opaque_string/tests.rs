use auth_tests_random::runner;
use icu_normalizer::DecomposingNormalizerBorrowed;
use precis_core::{DerivedPropertyValue, FreeformClass, StringClass as _};
use proptest::prelude::*;

use super::*;

/// RFC 8265 §4.2.3: the examples 12 to 16 are allowed, 17 and 18 are not.
#[test]
fn the_examples_of_the_rfc() {
    for (text, expected) in [
        ("correct horse battery staple", Some("correct horse battery staple")),
        ("Correct Horse Battery Staple", Some("Correct Horse Battery Staple")),
        ("πßå", Some("πßå")),
        ("Jack of ♦s", Some("Jack of ♦s")),
        ("foo\u{1680}bar", Some("foo bar")),
        ("", None),
        ("my cat is a \tby", None),
    ] {
        assert_eq!(enforce(text).as_deref(), expected, "{text:?}");
    }
}

/// The vectors of draft-whited-precis-test-vectors-01 for OpaqueString, and like them the contexts of RFC 5892, Appendix A.
#[test]
fn what_is_allowed_is_not_changed() {
    for text in [
        "  Swan  of   Avon   ",
        " ",
        "  ",
        "Richard \u{2163}",
        // A.1, A.2
        "a\u{A4D}\u{200C}b",
        "\u{628}\u{200C}\u{628}",
        "\u{A872}\u{5BF}\u{200C}\u{5BF}\u{622}",
        "a\u{A4D}\u{200D}",
        // A.3
        "l·l",
        "al·la",
        // A.4
        "\u{375}α",
        "α\u{375}α",
        "\u{375}\u{375}α",
        // A.5, A.6
        "ש\u{5F3}",
        "ש\u{5F4}",
        // A.7
        "aょc・def",
        "abc・dぶf",
        "⺐bc・def",
        "・カ",
        // A.8, A.9
        "١٢٣٤٥",
        "۱۲۳۴۵",
    ] {
        assert_eq!(enforce(text).as_deref(), Some(text), "{text:?}");
    }
}

#[test]
fn what_is_refused() {
    for text in [
        "\u{200C}",
        "a\u{200C}b",
        "\u{622}\u{200C}\u{622}",
        "\u{628}\u{200C}",
        "\u{200D}",
        "a\u{200D}b",
        "\u{A4D}a\u{200D}",
        "·",
        "l·",
        "·l",
        "l·a",
        "\u{375}",
        "\u{375}a",
        "α\u{375}\u{375}",
        "\u{5F3}",
        "\u{5F3}ה",
        "a\u{5F4}b",
        "・",
        "abc・def",
        "١٢۶",
        "۱۲٦",
        // FreeformClass (RFC 8264 §4.3.3): controls, conjoining jamo, ignorable, unassigned and private characters
        "\u{0}",
        "a\u{7F}",
        "\u{1100}",
        "❤\u{FE0F}",
        "a\u{200B}",
        "\u{E0001}",
        "\u{FFFF}",
        "\u{50000}",
        "\u{E000}",
    ] {
        assert_eq!(enforce(text), None, "{text:?}");
    }
}

#[test]
fn each_space_is_one_and_the_text_is_composed() {
    let spaces = "\u{A0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200A}\u{202F}\
                  \u{205F}\u{3000}";
    assert_eq!(enforce(spaces).unwrap(), " ".repeat(16));
    assert_eq!(enforce("\u{212B}e\u{301}").unwrap(), "Åé");
    assert_eq!(enforce("ﬁＡ").unwrap(), "ﬁＡ", "compatibility and width are preserved");
    assert_eq!(enforce("\u{387}").unwrap(), "·", "characters are checked before they are normalized");
}

/// A character that Unicode 6.3 knew is what another implementation says. Later ones are allowed as their category says.
#[test]
fn each_character_is_what_the_registry_says() {
    let registry = FreeformClass::default();
    let (mut compared, mut later) = (0, 0);
    for character in char::MIN..=char::MAX {
        let expected = match registry.get_value_from_char(character) {
            DerivedPropertyValue::PValid | DerivedPropertyValue::SpecClassPval => DerivedProperty::Valid,
            DerivedPropertyValue::ContextJ | DerivedPropertyValue::ContextO => DerivedProperty::Contextual,
            DerivedPropertyValue::SpecClassDis | DerivedPropertyValue::Disallowed => {
                DerivedProperty::Disallowed
            }
            DerivedPropertyValue::Unassigned => {
                later += u32::from(derived_property(character) == DerivedProperty::Valid);
                continue;
            }
        };
        compared += 1;
        assert_eq!(derived_property(character), expected, "U+{:04X}", u32::from(character));
    }
    assert!(compared > 200_000 && later > 40_000, "{compared} {later}");
    assert_eq!(derived_property('🤔'), DerivedProperty::Valid, "of Unicode 8");
}

/// Composed or not, with this or that space. And the form is a form of itself.
#[test]
fn a_text_has_one_form_however_it_is_typed() {
    let characters: Vec<char> = "aÉßΑ\u{345}ᾳ각Å\u{301}\u{323} 🤔가é\u{1E9B}\u{622}".chars().collect();
    let texts = prop::collection::vec(prop::sample::select(characters), 1..20);
    let spaces = prop::sample::select(vec!["\u{A0}", "\u{3000}", " "]);
    runner(300)
        .run(&(texts, spaces), |(text, space)| {
            let text = String::from_iter(text);
            let form = enforce(&text).unwrap();
            // All but Hangul, which decomposes into jamo that are not allowed.
            let decomposed = text.split_inclusive(['각', '가']).map(|piece| {
                let (text, syllable) = piece.split_at(piece.len() - piece.matches(['각', '가']).count() * 3);
                format!("{}{syllable}", DecomposingNormalizerBorrowed::new_nfd().normalize(text))
            });
            let decomposed = decomposed.collect::<String>().replace(' ', space);
            prop_assert_eq!(enforce(&decomposed), Some(form.clone()));
            prop_assert_eq!(enforce(&form), Some(form));
            Ok(())
        })
        .unwrap();
}
