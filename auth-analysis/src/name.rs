//! Names that can't be, in one table: for the arguments of the attribute, for `auth.toml`, and for what an engine is given.

use unicode_normalization::UnicodeNormalization as _;
use unicode_security::mixed_script::AugmentedScriptSet;
use unicode_security::{GeneralSecurityProfile as _, general_security_profile::IdentifierType, skeleton};

use crate::list_kind::ListKind;

/// What a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A name in a list of this kind: a role, a scope, ..
    Listed(ListKind),
    /// A source of credentials.
    Source,
    /// A claim of a token.
    Claim,
}

/// Says of a name why it can't be, and what to write instead.
type Rule = fn(Named, &str) -> Option<String>;

/// All rules. The first that a name breaks is reported.
const RULES: &[Rule] = &[
    empty,
    white_space_at_an_end,
    invisible,
    scope,
    white_space_in_acr,
    checked_by_the_engine,
    not_normalized,
    variant_of_ascii,
    mixed_scripts,
];

impl Named {
    /// Why `name` can't be such a name, and what to write instead: "\"admin \" can't be a role: it ends ..". `None` if it can be one.
    ///
    /// Such a name would be in no token, or would be one that a reader takes for another.
    #[must_use]
    pub fn objection(self, name: &str) -> Option<String> {
        let why = RULES.iter().find_map(|rule| rule(self, name))?;
        let what = match self {
            Self::Listed(kind) => kind.name_with_article(),
            Self::Source => "the name of a source",
            Self::Claim => "a claim of a rule",
        };
        Some(format!("{name:?} can't be {what}: {why}"))
    }
}

fn empty(_: Named, name: &str) -> Option<String> {
    name.trim().is_empty().then(|| "it is empty. Write a name, or remove it".to_owned())
}

fn white_space_at_an_end(_: Named, name: &str) -> Option<String> {
    let trimmed = name.trim();
    (trimmed != name).then(|| format!("it begins or ends with white space. Write {trimmed:?}"))
}

/// Also white space that is none of the space bar, and what Unicode has assigned to no character.
fn invisible(_: Named, name: &str) -> Option<String> {
    let is_invisible = |letter: char| {
        let kind = letter.identifier_type();
        let never =
            matches!(kind, None | Some(IdentifierType::Default_Ignorable | IdentifierType::Not_Character));
        let is_other_space = letter.is_whitespace() && letter != ' ';
        is_other_space || is_joiner(letter) || letter.is_control() || never
    };
    let letters: Vec<char> = name.chars().collect();
    // Persian and the languages of India are written with joiners.
    let is_written_with_joiners = |letter: Option<&char>| matches!(letter, Some('\u{600}'..='\u{dff}'));
    let is_wrong = |at: usize, letter: char| {
        let is_between = is_written_with_joiners(at.checked_sub(1).and_then(|before| letters.get(before)))
            && is_written_with_joiners(letters.get(at.saturating_add(1)));
        is_invisible(letter) && !(is_joiner(letter) && is_between)
    };
    let (_, letter) = name.chars().enumerate().find(|(at, letter)| is_wrong(*at, *letter))?;
    let without: String = name.chars().filter(|letter| !is_invisible(*letter)).collect();
    Some(format!("it contains U+{:04X}, which is no visible character. Write {without:?}", u32::from(letter)))
}

fn is_joiner(letter: char) -> bool {
    matches!(letter, '\u{200c}' | '\u{200d}')
}

fn scope(named: Named, name: &str) -> Option<String> {
    let is_allowed = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    (named == Named::Listed(ListKind::Scopes) && !name.bytes().all(is_allowed))
        .then(|| "use visible ASCII without spaces, `\"` and `\\` (RFC 6749 §3.3)".to_owned())
}

fn white_space_in_acr(named: Named, name: &str) -> Option<String> {
    (named == Named::Listed(ListKind::Acr) && name.contains(' ')).then(|| {
        "spaces separate the classes in `acr_values` (RFC 9470 §3). Write each class by itself".to_owned()
    })
}

/// What a token says of itself, which is no fact about its subject.
fn checked_by_the_engine(named: Named, name: &str) -> Option<String> {
    let why = match name {
        _ if named != Named::Claim => return None,
        "exp" | "nbf" => "the engine checks it in every token. Remove it",
        "iat" => {
            "the engine checks it in every token. Remove it, or write `max_age = \"5m\"` to limit the age of the login"
        }
        "jti" => "each token has another one. Remove it: at run time a token can be revoked by its `jti`",
        _ => return None,
    };
    Some(why.to_owned())
}

fn not_normalized(_: Named, name: &str) -> Option<String> {
    let normalized: String = name.nfc().collect();
    (normalized != name).then(|| {
        format!(
            "it is not in Unicode's normalization form C, so that it differs from a name that looks the same. Write {normalized:?}"
        )
    })
}

/// Letters of another width or style, ligatures: `ａｄｍｉｎ`, `𝐚𝐝𝐦𝐢𝐧`.
fn variant_of_ascii(_: Named, name: &str) -> Option<String> {
    let ascii = |letter: char| -> Option<String> {
        let plain: String = std::iter::once(letter).nfkc().collect();
        let is_other = !letter.is_ascii() && plain.bytes().all(|byte| byte.is_ascii_alphanumeric());
        // Not signs, such as `№`, `™`, `²` and the `º` of `2º`: a reader does not take them for letters.
        let is_style = letter.is_alphabetic() && !matches!(letter, 'ª' | 'º') || is_digit_of_a_style(letter);
        (is_other && is_style).then_some(plain)
    };
    let (letter, plain) = name.chars().find_map(|letter| Some((letter, ascii(letter)?)))?;
    let whole: String = name.chars().map(|letter| ascii(letter).unwrap_or_else(|| letter.into())).collect();
    Some(format!("`{letter}` (U+{:04X}) looks like `{plain}`. Write {whole:?}", u32::from(letter)))
}

/// Full-width and mathematical digits.
fn is_digit_of_a_style(letter: char) -> bool {
    matches!(letter, '\u{ff10}'..='\u{ff19}' | '\u{1d7ce}'..='\u{1d7ff}')
}

/// UTS 39 §5, word by word: the names of groups such as `Отдел CRM` have words of two scripts. A word by itself is of one script, or of
/// Latin and one of those that are written together with it (Chinese, Japanese, Korean); and next to Latin words no word consists of
/// characters of another script that look like Latin ones.
fn mixed_scripts(_: Named, name: &str) -> Option<String> {
    if name.is_ascii() {
        return None;
    }
    let has_latin = name.chars().any(is_latin);
    let words = name.split(|letter: char| !letter.is_alphanumeric());
    let mut wrong = words.filter(|word| is_mixed(word) || has_latin && looks_latin(word));
    let word = wrong.next()?;
    let is_odd = |letter: &char| !is_latin(*letter) && !AugmentedScriptSet::for_char(*letter).is_all();
    let letter = word.chars().find(is_odd)?;
    let script = AugmentedScriptSet::for_char(letter);
    let place = if has_latin { "among Latin ones" } else { "among those of another script" };
    Some(format!(
        "`{letter}` (U+{:04X}) is a {script} character {place}, and may look like one of them. Write the name in one script",
        u32::from(letter)
    ))
}

fn is_latin(letter: char) -> bool {
    let script = AugmentedScriptSet::for_char(letter);
    let mut latin = AugmentedScriptSet::for_char('a');
    latin.intersect_with(script);
    !script.is_all() && !latin.is_empty()
}

fn is_mixed(word: &str) -> bool {
    let without_latin: String = word.chars().filter(|letter| !is_latin(*letter)).collect();
    let rest = AugmentedScriptSet::for_str(&without_latin);
    let goes_with_latin = rest.hanb || rest.jpan || rest.kore;
    AugmentedScriptSet::for_str(word).is_empty() && !goes_with_latin
}

fn looks_latin(word: &str) -> bool {
    let is_other = |letter: char| !is_latin(letter) && !AugmentedScriptSet::for_char(letter).is_all();
    word.chars().any(is_other)
        && !word.chars().any(is_latin)
        && skeleton(word).all(|letter| letter.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::Named;
    use crate::list_kind::ListKind;

    const KINDS: [Named; 7] = [
        Named::Listed(ListKind::Roles),
        Named::Listed(ListKind::Scopes),
        Named::Listed(ListKind::Permissions),
        Named::Listed(ListKind::Acr),
        Named::Listed(ListKind::Amr),
        Named::Source,
        Named::Claim,
    ];

    /// The rows that hold for every kind of name.
    #[test]
    fn names_that_can_not_be() {
        for (name, expected) in [
            ("", "it is empty"),
            (" \t", "it is empty"),
            ("admin ", "Write \"admin\""),
            ("\u{a0}admin", "Write \"admin\""),
            ("admin\n", "Write \"admin\""),
            ("ad\u{200b}min", "U+200B"),
            ("ad\u{200d}min", "U+200D"),
            ("ad\u{ad}min", "U+00AD"),
            ("\u{202e}nimda", "U+202E"),
            ("admin\u{e0041}", "U+E0041"),
            ("ad\0min", "U+0000"),
            ("site\u{a0}admin", "U+00A0"),
            ("site\tadmin", "U+0009"),
            ("admin\u{e000}", "U+E000"),
        ] {
            for kind in KINDS {
                let said = kind.objection(name).unwrap_or_else(|| panic!("{kind:?} {name:?}"));
                assert!(said.contains(expected), "{kind:?} {name:?}: {said}");
            }
        }
    }

    /// Scopes are ASCII anyway.
    #[test]
    fn names_that_look_like_others() {
        for (name, expected) in [
            ("re\u{301}dacteur", "normalization form C"),
            ("\u{212a}ey", "normalization form C"),
            ("ａｄｍｉｎ", "Write \"admin\""),
            ("𝐚𝐝𝐦𝐢𝐧", "Write \"admin\""),
            ("oﬃce", "Write \"office\""),
            ("\u{430}dmin", "(U+0430) is a Cyrillic character among Latin ones"),
            ("admin:\u{430}", "(U+0430) is a Cyrillic character"),
            ("\u{430}\u{441}\u{435}:read", "(U+0430) is a Cyrillic character"),
            ("\u{3b1}dmin", "(U+03B1) is a Greek character"),
            ("adm\u{456}n-читать", "(U+0456) is a Cyrillic character"),
            ("чит\u{3b1}ть", "among those of another script"),
            ("\u{13aa}dmin", "is a Cherokee character"),
        ] {
            for kind in KINDS.into_iter().filter(|kind| *kind != Named::Listed(ListKind::Scopes)) {
                let said = kind.objection(name).unwrap_or_else(|| panic!("{kind:?} {name:?}"));
                assert!(said.contains(expected), "{kind:?} {name:?}: {said}");
            }
            let scope = Named::Listed(ListKind::Scopes).objection(name).unwrap();
            assert!(scope.contains("RFC 6749 §3.3"), "{scope}");
        }
    }

    #[test]
    fn names_of_any_language_can_be() {
        for name in [
            "admin",
            "billing admin",
            "größe",
            "yazarlık",
            "écriture",
            "Việt",
            "читать",
            "статьи:читать",
            "Отдел продаж CRM",
            "διαβάζω",
            "管理者",
            "管理者A",
            "記事を読む",
            "API管理ユーザー",
            "관리자",
            "ผู้ทำบัญชี",
            "व्यवस्थापक",
            "مدير",
            "מנהל",
            "ዳይሬክተር",
            "2fa",
            "管理者（全社）",
            "部門：経理",
            "Отдел №5",
            "Suporte 2º nível",
            "Acme™ admin",
            "m²",
            "حساب\u{200c}دار",
            "https://example.com/roles#admin",
            "Domain\\Users",
            "\u{1f600}",
        ] {
            for kind in [ListKind::Roles, ListKind::Permissions, ListKind::Amr].map(Named::Listed) {
                assert_eq!(kind.objection(name), None, "{name:?}");
            }
        }
    }

    #[test]
    fn what_holds_for_one_kind_alone() {
        let roles = Named::Listed(ListKind::Roles);
        let [scopes, acr] = [ListKind::Scopes, ListKind::Acr].map(Named::Listed);
        for (kind, name, can_be) in [
            (scopes, "article:write", true),
            (scopes, "https://x.test/read-all", true),
            (scopes, "a b", false),
            (scopes, "a\"b", false),
            (scopes, "a\\b", false),
            (scopes, "größe", false),
            (scopes, "\u{7f}", false),
            (acr, "urn:mace:incommon:iap:silver", true),
            (acr, "phr phrh", false),
            (roles, "exp", true),
            (Named::Source, "iat", true),
            (Named::Claim, "exp", false),
            (Named::Claim, "nbf", false),
            (Named::Claim, "iat", false),
            (Named::Claim, "jti", false),
            (Named::Claim, "sub", true),
            (Named::Claim, "iss", true),
            (Named::Claim, "aud", true),
            (Named::Claim, "expires", true),
            (Named::Claim, "https://example.com/tenant", true),
        ] {
            assert_eq!(
                kind.objection(name).is_none(),
                can_be,
                "{kind:?} {name:?}: {:?}",
                kind.objection(name)
            );
        }
    }
}
