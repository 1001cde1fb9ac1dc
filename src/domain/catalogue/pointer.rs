//! JSON Pointers (RFC 6901).

/// Where a value stands in a JSON document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// From its text: empty for the whole document, or tokens that a slash precedes. `None` when it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let tokens = text.strip_prefix('/')?.split('/').map(unescaped).collect::<Option<Vec<_>>>()?;
        Some(Self(tokens))
    }

    /// To a member of the document itself.
    #[must_use]
    pub fn member(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }

    /// A member's name, or a pointer that begins with a slash. `None` when it is neither.
    #[must_use]
    pub fn place(text: &str) -> Option<Self> {
        match text {
            "" => None,
            text if text.starts_with('/') => Self::parse(text),
            name => Some(Self::member(name)),
        }
    }

    /// Its tokens, from the outermost.
    #[must_use]
    pub fn tokens(&self) -> &[String] {
        &self.0
    }
}

/// A token without its escapes; `None` for a tilde that escapes nothing.
fn unescaped(token: &str) -> Option<String> {
    let mut parts = token.split('~');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let (character, rest) = match part.split_at_checked(1)? {
            ("0", rest) => ('~', rest),
            ("1", rest) => ('/', rest),
            _ => return None,
        };
        text.push(character);
        text.push_str(rest);
    }
    Some(text)
}

impl std::fmt::Display for Pointer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|token| write!(f, "/{}", token.replace('~', "~0").replace('/', "~1")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard_are_read_and_written_again() {
        for (text, tokens) in [
            ("", &[][..]),
            ("/foo/0", &["foo", "0"]),
            ("/", &[""]),
            ("/a~1b", &["a/b"]),
            ("/m~0n", &["m~n"]),
            ("/~01", &["~1"]),
        ] {
            let pointer = Pointer::parse(text).unwrap();
            assert_eq!(pointer.tokens(), tokens, "{text}");
            assert_eq!(pointer.to_string(), text);
        }
        for text in ["foo", "/a~", "/a~2", "/~ä"] {
            assert_eq!(Pointer::parse(text), None, "{text}");
        }
    }
}
