//! External text: written by another member, or anybody, and displayed to people.

/// Maximum length of one text in characters.
pub(crate) const MAX_CHARS: usize = 2_000;

/// The text in displayable form: no control characters, nothing that is invisible or changes the direction of the text
/// around it (Unicode UAX #9, UTS #39), white space and line breaks as single spaces, and at most [`MAX_CHARS`]. A
/// truncated text ends with an ellipsis.
#[must_use]
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len().min(4 * MAX_CHARS));
    let (mut count, mut space) = (0_usize, false);
    for character in text.chars() {
        if character.is_whitespace() {
            space = count > 0;
            continue;
        }
        if is_invisible(character) {
            continue;
        }
        let more = 1 + usize::from(space);
        if count + more >= MAX_CHARS {
            cleaned.push('…');
            return cleaned;
        }
        if std::mem::take(&mut space) {
            cleaned.push(' ');
        }
        cleaned.push(character);
        count += more;
    }
    cleaned
}

/// Control and format characters without a visible form. The joiners U+200C and U+200D are removed too: no text in the
/// languages of these pages needs them, and names that differ only by one are confusable.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{00ad}'
                | '\u{034f}'
                | '\u{061c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn direction_marks_and_control_characters_do_not_survive() {
        for (text, shown) in [
            ("Daycare place", "Daycare place"),
            ("Päiväkotipaikka – Ç漢字 😀", "Päiväkotipaikka – Ç漢字 😀"),
            ("safe\u{202e}gpj.exe", "safegpj.exe"),
            ("a\u{2066}b\u{2069}c\u{200f}d\u{061c}e", "abcde"),
            ("nul\0esc\u{1b}[31mred", "nulesc[31mred"),
            ("Hel\u{200b}sinki\u{feff}", "Helsinki"),
            ("  two\r\n lines\tand\u{00a0}more ", "two lines and more"),
            ("\u{202e}\u{200b}", ""),
            ("tag\u{e0041}s", "tags"),
        ] {
            assert_eq!(clean(text), shown, "{text:?}");
        }
    }

    #[test]
    fn a_text_without_end_is_cut_where_everybody_sees_it() {
        let long = clean(&"å".repeat(100_000));
        assert_eq!((long.chars().count(), long.ends_with('…')), (MAX_CHARS, true));
        let fits = "å".repeat(MAX_CHARS - 1);
        assert_eq!(clean(&fits), fits);
    }

    proptest! {
        #[test]
        fn a_clean_text_stays_as_it_is(text in any::<String>()) {
            let once = clean(&text);
            prop_assert_eq!(clean(&once), once.clone());
            prop_assert!(once.chars().count() <= MAX_CHARS);
            prop_assert!(!once.chars().any(|character| is_invisible(character) || character == '\n'));
        }
    }
}
