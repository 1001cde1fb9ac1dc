//! Records within a larger JSON document, as services answer them, and where a value stands in it.

use std::collections::HashSet;
use std::io::BufRead;

use super::json::{Json, JsonError, MAX_DEPTH, Member, Parser, Place};
use crate::domain::catalogue::pointer::Pointer;

/// What stands beside the records of a document.
pub(crate) struct Envelope {
    /// The document, with `null` in place of the records.
    pub(crate) rest: Json,
    /// Whether there was a place for records.
    pub(crate) found: bool,
}

impl<R: BufRead> Parser<R> {
    /// Reads one document and gives each record at a place away, one in memory at a time.
    pub(crate) fn envelope<E: From<JsonError>>(
        mut self,
        records: &Pointer,
        mut take: impl FnMut(Place, &Json) -> Result<(), E>,
    ) -> Result<Envelope, E> {
        let mut found = false;
        let rest = self.level(records.tokens(), MAX_DEPTH, &mut found, &mut take)?;
        self.end()?;
        Ok(Envelope { rest, found })
    }

    fn level<E: From<JsonError>>(
        &mut self,
        path: &[String],
        depth: usize,
        found: &mut bool,
        take: &mut impl FnMut(Place, &Json) -> Result<(), E>,
    ) -> Result<Json, E> {
        self.white()?;
        let (Some((first, deeper)), Some(inner)) = (path.split_first(), depth.checked_sub(1)) else {
            *found = true;
            self.records(take)?;
            return Ok(Json::Null);
        };
        if self.next != Some(b'{') {
            return Ok(self.value(depth)?);
        }
        let (mut members, mut names) = (Vec::new(), HashSet::new());
        self.advance()?;
        self.white()?;
        if self.next == Some(b'}') {
            self.advance()?;
            return Ok(Json::Object(members));
        }
        loop {
            let name = self.name(&mut names)?;
            let at = self.place;
            let value =
                if name == *first { self.level(deeper, inner, found, take)? } else { self.value(inner)? };
            members.push(Member { name, at, value });
            if !self.goes_on(b'}')? {
                return Ok(Json::Object(members));
            }
        }
    }

    fn records<E: From<JsonError>>(
        &mut self,
        take: &mut impl FnMut(Place, &Json) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.next {
            Some(b'[') => {
                self.advance()?;
                self.white()?;
                if self.next == Some(b']') {
                    return Ok(self.advance()?);
                }
                loop {
                    self.white()?;
                    let at = self.place;
                    take(at, &self.value(MAX_DEPTH)?)?;
                    if !self.goes_on(b']')? {
                        return Ok(());
                    }
                }
            }
            Some(b'{') => {
                let at = self.place;
                take(at, &self.value(MAX_DEPTH)?)
            }
            _ => Err(self.malformed("neither a list of records nor a record").into()),
        }
    }
}

/// What stands at a place.
pub(crate) enum Found<'a> {
    /// A value.
    Value(&'a Json),
    /// Nothing, because an object on the way there is `null`.
    WithinNull,
    /// Nothing.
    Nothing,
}

/// Follows a pointer (RFC 6901 §4).
pub(crate) fn find<'a>(document: &'a Json, pointer: &Pointer) -> Found<'a> {
    let mut here = document;
    for token in pointer.tokens() {
        let next = match here {
            Json::Object(members) => {
                members.iter().find(|member| member.name == *token).map(|member| &member.value)
            }
            Json::Array(items) => index(token).and_then(|at| items.get(at)),
            Json::Null => return Found::WithinNull,
            _ => None,
        };
        match next {
            Some(value) => here = value,
            None => return Found::Nothing,
        }
    }
    Found::Value(here)
}

fn index(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with('0');
    (canonical && token.bytes().all(|byte| byte.is_ascii_digit())).then(|| token.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, records: &str) -> Result<(usize, Envelope), JsonError> {
        let mut count = 0;
        let envelope =
            Parser::new(text.as_bytes())?.envelope(&Pointer::parse(records).unwrap(), |_, _| {
                count += 1;
                Ok::<(), JsonError>(())
            })?;
        Ok((count, envelope))
    }

    #[test]
    fn records_are_found_where_the_pointer_leads_and_the_rest_is_kept() {
        let text =
            r#"{"links": {"next": "/2"}, "data": {"total": 2, "items": [{"a": 1}, {"a": 2}]}, "z": null}"#;
        let (count, envelope) = read(text, "/data/items").unwrap();
        assert!(count == 2 && envelope.found);
        let next = find(&envelope.rest, &Pointer::parse("/links/next").unwrap());
        assert!(matches!(next, Found::Value(Json::String(next)) if next == "/2"));
        assert!(matches!(
            find(&envelope.rest, &Pointer::parse("/data/total").unwrap()),
            Found::Value(Json::Number(_))
        ));
        assert!(matches!(find(&envelope.rest, &Pointer::parse("/z/a").unwrap()), Found::WithinNull));
        assert!(matches!(find(&envelope.rest, &Pointer::parse("/y").unwrap()), Found::Nothing));
        for (text, records, count) in [("[]", "", 0), ("[1, 2]", "", 2), (r#"{"a": {"b": 1}}"#, "/a", 1)] {
            let (found, envelope) = read(text, records).unwrap();
            assert!(found == count && envelope.found, "{text}");
        }
        for (text, records) in [(r#"{"b": []}"#, "/a"), (r#"{"a": []}"#, "/a/b"), ("[]", "/a"), ("{}", "/a")]
        {
            let (count, envelope) = read(text, records).unwrap();
            assert!(count == 0 && !envelope.found, "{text}");
        }
    }

    #[test]
    fn the_envelope_is_as_strict_as_the_records() {
        for (text, records) in [
            (r#"{"a": [], "a": []}"#, "/a"),
            (r#"{"a": [{"b": 1, "b": 2}]}"#, "/a"),
            (r#"{"a": null}"#, "/a"),
            (r#"{"a": "x"}"#, "/a"),
            (r#"{"a": []} x"#, "/a"),
            (r#"{"a": ["#, "/a"),
            (r#"{"a": [1 2]}"#, "/a"),
            ("NaN", ""),
        ] {
            assert!(read(text, records).is_err(), "{text}");
        }
    }
}
