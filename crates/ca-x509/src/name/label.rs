//! International labels: which characters one may have (RFC 5892), and of how many scripts they are (UTS #39).
//! What UTS #46 checks beside that (NFC, mappings, joiners, writing directions) is in the crate `idna`.

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup, Script};
use icu_properties::script::ScriptWithExtensions;

/// Checks the characters of a U-label, each and in its place.
///
/// # Errors
/// The rule that is broken.
pub(super) fn check(label: &str) -> Result<(), &'static str> {
    if !label.chars().all(is_permitted) {
        return Err("a character is not permitted (RFC 5892 §3)");
    }
    check_context(label)
}

/// Whether the label mixes scripts beyond "highly restrictive" (UTS #39 §5.2).
pub(super) fn mixes_scripts(label: &str) -> bool {
    let data = ScriptWithExtensions::new();
    // Digits, hyphens and marks are of every script.
    let letters = || {
        label.chars().filter(|character| {
            !matches!(data.get_script_val(*character), Script::Common | Script::Inherited)
        })
    };
    let Some(first) = letters().next() else { return false };
    let mut of_first = data.get_script_extensions_val(first).iter();
    let is_single = of_first.any(|script| letters().all(|character| data.has_script(character, script)));
    let is_together = TOGETHER.iter().any(|scripts| {
        letters().all(|character| scripts.iter().any(|script| data.has_script(character, *script)))
    });
    !is_single && !is_together
}

/// Scripts that are written together, also with Latin letters among them (UTS #39 §5.2).
const TOGETHER: [&[Script]; 3] = [
    &[Script::Latin, Script::Han, Script::Hiragana, Script::Katakana],
    &[Script::Latin, Script::Han, Script::Bopomofo],
    &[Script::Latin, Script::Han, Script::Hangul],
];

/// LetterDigits (RFC 5892 §2.1), of which capitals have gone by mapping.
const LETTERS_AND_DIGITS: [GeneralCategoryGroup; 6] = [
    GeneralCategoryGroup::LowercaseLetter,
    GeneralCategoryGroup::OtherLetter,
    GeneralCategoryGroup::ModifierLetter,
    GeneralCategoryGroup::NonspacingMark,
    GeneralCategoryGroup::SpacingMark,
    GeneralCategoryGroup::DecimalNumber,
];

/// PVALID, CONTEXTJ or CONTEXTO (RFC 5892 §3), for what UTS #46 maps to itself.
fn is_permitted(character: char) -> bool {
    match character {
        // Exceptions (§2.6), the permitted ones that are no letters, and the joiners (§2.8).
        '-' | '\u{b7}' | '\u{375}' | '\u{5f3}' | '\u{5f4}' | '\u{6fd}' | '\u{6fe}' | '\u{f0b}'
        | '\u{3007}' | '\u{30fb}' | '\u{200c}' | '\u{200d}' => true,
        // Exceptions that are not permitted.
        '\u{640}' | '\u{7fa}' | '\u{302e}' | '\u{302f}' | '\u{3031}'..='\u{3035}' | '\u{303b}' => false,
        // IgnorableBlocks (§2.4) and OldHangulJamo (§2.9).
        '\u{20d0}'..='\u{20ff}'
        | '\u{1d100}'..='\u{1d24f}'
        | '\u{1100}'..='\u{11ff}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{d7b0}'..='\u{d7ff}' => false,
        _ => {
            let category = CodePointMapData::<GeneralCategory>::new().get(character);
            LETTERS_AND_DIGITS.iter().any(|group| group.contains(category))
        }
    }
}

/// The contextual rules of RFC 5892 appendix A.3 to A.9.
fn check_context(label: &str) -> Result<(), &'static str> {
    let has_script = |character: char, wanted: &[Script]| {
        wanted.contains(&CodePointMapData::<Script>::new().get(character))
    };
    let any_of = |range: core::ops::RangeInclusive<char>| label.chars().any(|other| range.contains(&other));
    let mut before = None;
    let mut rest = label.chars();
    while let Some(character) = rest.next() {
        let after = rest.clone().next();
        let is_good = match character {
            '\u{b7}' => before == Some('l') && after == Some('l'),
            '\u{375}' => after.is_some_and(|after| has_script(after, &[Script::Greek])),
            '\u{5f3}' | '\u{5f4}' => before.is_some_and(|before| has_script(before, &[Script::Hebrew])),
            '\u{30fb}' => label
                .chars()
                .any(|other| has_script(other, &[Script::Hiragana, Script::Katakana, Script::Han])),
            '\u{660}'..='\u{669}' => !any_of('\u{6f0}'..='\u{6f9}'),
            '\u{6f0}'..='\u{6f9}' => !any_of('\u{660}'..='\u{669}'),
            _ => true,
        };
        if !is_good {
            return Err("a character is not permitted where it stands (RFC 5892 appendix A)");
        }
        before = Some(character);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc5892_3_symbols_and_old_letters_are_not_permitted() {
        for (label, is_good) in [
            ("münchen", true),
            ("ヽ", true),
            ("☃", false),
            ("i♥ny", false),
            ("a⃝", false),
            ("ـ", false),
            ("ᄀ", false),
            ("a\u{200d}b", true),
            ("a/b", false),
        ] {
            assert_eq!(check(label).is_ok(), is_good, "{label}");
        }
    }

    #[test]
    fn rfc5892_a_some_characters_need_their_surroundings() {
        for (label, is_good) in [
            ("l·l", true),
            ("a·l", false),
            ("l·", false),
            ("͵α", true),
            ("͵a", false),
            ("א׳", true),
            ("׳א", false),
            ("ア・イ", true),
            ("a・b", false),
            ("\u{661}\u{662}", true),
            ("\u{661}\u{6f2}", false),
            ("\u{6f2}\u{661}", false),
        ] {
            assert_eq!(check(label).is_ok(), is_good, "{label}");
        }
    }
}
