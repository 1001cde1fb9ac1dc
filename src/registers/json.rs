//! JSON of a register: numbers keep their digits, members keep their order, and no name occurs twice.
//!
//! A general parser would turn every number into a double, which changes values, and would silently drop one of two
//! members of the same name.

use std::collections::HashSet;
use std::io::BufRead;

const NO_OBJECT: &str = "an element of the array is not an object";

/// Deepest nesting of objects and arrays in one record.
pub(super) const MAX_DEPTH: usize = 32;

/// A place in a text. Lines and columns count from 1, columns in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) line: u64,
    pub(crate) column: u64,
    /// Bytes before it.
    pub(crate) offset: u64,
}

impl Place {
    /// Before the first byte.
    pub(crate) const START: Self = Self { line: 1, column: 0, offset: 0 };

    /// The place after a byte, which is the next one's.
    pub(crate) const fn after(self, byte: Option<u8>) -> Self {
        let (line, column) = match byte {
            Some(b'\n') => (self.line.saturating_add(1), 1),
            _ => (self.line, self.column.saturating_add(1)),
        };
        let offset = if byte.is_some() { self.offset.saturating_add(1) } else { self.offset };
        Self { line, column, offset }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// The digits as written (RFC 8259 §6).
    Number(String),
    String(String),
    Array(Vec<Json>),
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub name: String,
    /// Where its value begins.
    pub at: Place,
    pub value: Json,
}

/// Why a text cannot be parsed. Gives the place, never the content.
#[derive(Debug)]
pub(crate) enum JsonError {
    /// The text breaks a rule at a place.
    Malformed(Place, &'static str),
    /// The text cannot be read.
    Io(std::io::Error),
}

/// Reads JSON byte by byte.
pub(crate) struct Parser<R> {
    bytes: std::io::Bytes<R>,
    pub(super) next: Option<u8>,
    pub(super) place: Place,
}

impl<R: BufRead> Parser<R> {
    /// At the beginning of a text.
    pub(crate) fn new(input: R) -> Result<Self, JsonError> {
        let mut parser = Self { bytes: input.bytes(), next: None, place: Place::START };
        parser.advance()?;
        Ok(parser)
    }

    /// At a place that [`Self::objects`] told; the input begins there.
    pub(crate) fn resume(input: R, place: Place) -> Result<Self, JsonError> {
        let mut bytes = input.bytes();
        let next = bytes.next().transpose().map_err(JsonError::Io)?;
        Ok(Self { bytes, next, place })
    }

    /// Reads the object that begins here; what follows it is left.
    pub(crate) fn object_here(mut self) -> Result<Vec<Member>, JsonError> {
        match self.value(MAX_DEPTH)? {
            Json::Object(members) => Ok(members),
            _ => Err(self.malformed(NO_OBJECT)),
        }
    }

    /// Reads an array of objects and gives each away with the place where it begins, one in memory at a time.
    pub(crate) fn objects<E: From<JsonError>>(
        mut self,
        mut take: impl FnMut(Place, Vec<Member>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.white()?;
        self.expect(b'[', "not an array of objects")?;
        self.white()?;
        if self.next == Some(b']') {
            self.advance()?;
        } else {
            loop {
                self.white()?;
                let at = self.place;
                match self.value(MAX_DEPTH)? {
                    Json::Object(members) => take(at, members)?,
                    _ => return Err(JsonError::Malformed(at, NO_OBJECT).into()),
                }
                if !self.goes_on(b']')? {
                    break;
                }
            }
        }
        Ok(self.end()?)
    }

    /// Reads one value and nothing after it.
    pub(crate) fn single(mut self) -> Result<Json, JsonError> {
        self.white()?;
        let value = self.value(MAX_DEPTH)?;
        self.end()?;
        Ok(value)
    }

    pub(super) fn end(&mut self) -> Result<(), JsonError> {
        self.white()?;
        if self.next.is_some() { Err(self.malformed("something follows the value")) } else { Ok(()) }
    }

    pub(super) fn value(&mut self, depth: usize) -> Result<Json, JsonError> {
        let Some(inner) = depth.checked_sub(1) else { return Err(self.malformed("nested too deeply")) };
        match self.next {
            Some(b'{') => self.object(inner),
            Some(b'[') => self.array(inner),
            Some(b'"') => Ok(Json::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => Ok(Json::Number(self.number()?)),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) => Err(self.malformed("not a JSON value")),
            None => Err(self.malformed("the text ends too early")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonError> {
        let mut members: Vec<Member> = Vec::new();
        self.advance()?;
        self.white()?;
        if self.next == Some(b'}') {
            self.advance()?;
            return Ok(Json::Object(members));
        }
        let mut names = HashSet::new();
        loop {
            let name = self.name(&mut names)?;
            let at = self.place;
            members.push(Member { name, at, value: self.value(depth)? });
            if !self.goes_on(b'}')? {
                return Ok(Json::Object(members));
            }
        }
    }

    /// The name of a member, which no member before has, and the colon behind it.
    pub(super) fn name(&mut self, names: &mut HashSet<String>) -> Result<String, JsonError> {
        self.white()?;
        let at = self.place;
        if self.next != Some(b'"') {
            return Err(self.malformed("a member has no name"));
        }
        let name = self.string()?;
        if !names.insert(name.clone()) {
            return Err(JsonError::Malformed(at, "a member occurs twice in one object"));
        }
        self.white()?;
        self.expect(b':', "a colon is missing")?;
        self.white()?;
        Ok(name)
    }

    fn array(&mut self, depth: usize) -> Result<Json, JsonError> {
        let mut items = Vec::new();
        self.advance()?;
        self.white()?;
        if self.next == Some(b']') {
            self.advance()?;
            return Ok(Json::Array(items));
        }
        loop {
            self.white()?;
            items.push(self.value(depth)?);
            if !self.goes_on(b']')? {
                return Ok(Json::Array(items));
            }
        }
    }

    /// After an item: a comma, or the end of the list.
    pub(super) fn goes_on(&mut self, close: u8) -> Result<bool, JsonError> {
        self.white()?;
        match self.next {
            Some(b',') => self.advance().map(|()| true),
            Some(byte) if byte == close => self.advance().map(|()| false),
            Some(_) => Err(self.malformed("a comma or the end of the list is missing")),
            None => Err(self.malformed("the text ends too early")),
        }
    }

    fn number(&mut self) -> Result<String, JsonError> {
        let mut digits = String::new();
        let at = self.place;
        while let Some(byte @ (b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) = self.next {
            digits.push(char::from(byte));
            self.advance()?;
        }
        if is_number(&digits) { Ok(digits) } else { Err(JsonError::Malformed(at, "not a JSON number")) }
    }

    fn word(&mut self, word: &'static str, value: Json) -> Result<Json, JsonError> {
        for byte in word.bytes() {
            self.expect(byte, "not a JSON value")?;
        }
        Ok(value)
    }

    fn string(&mut self) -> Result<String, JsonError> {
        let at = self.place;
        self.advance()?;
        let mut text = Vec::new();
        loop {
            match self.next {
                Some(b'"') => {
                    self.advance()?;
                    return String::from_utf8(text)
                        .map_err(|_| JsonError::Malformed(at, "a text is not UTF-8"));
                }
                Some(b'\\') => {
                    self.advance()?;
                    let character = self.escape()?;
                    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Some(0..=0x1f) => return Err(self.malformed("a control character stands in a text")),
                Some(byte) => {
                    text.push(byte);
                    self.advance()?;
                }
                None => return Err(self.malformed("the text ends too early")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let plain = match self.next {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.advance()?;
                let first = self.hex()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return char::from_u32(first)
                        .ok_or_else(|| self.malformed("half of a character stands alone"));
                }
                self.expect(b'\\', "half of a character stands alone")?;
                self.expect(b'u', "half of a character stands alone")?;
                let second = self.hex()?.checked_sub(0xdc00).filter(|low| *low < 0x400);
                let code = second.map(|low| 0x1_0000 + ((first - 0xd800) << 10) + low);
                return code
                    .and_then(char::from_u32)
                    .ok_or_else(|| self.malformed("half of a character stands alone"));
            }
            _ => return Err(self.malformed("an unknown escape stands in a text")),
        };
        self.advance()?;
        Ok(plain)
    }

    fn hex(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.next.and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else { return Err(self.malformed("an unknown escape stands in a text")) };
            code = code * 16 + digit;
            self.advance()?;
        }
        Ok(code)
    }

    pub(super) fn white(&mut self) -> Result<(), JsonError> {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.next {
            self.advance()?;
        }
        Ok(())
    }

    fn expect(&mut self, byte: u8, otherwise: &'static str) -> Result<(), JsonError> {
        match self.next {
            Some(next) if next == byte => self.advance(),
            None => Err(self.malformed("the text ends too early")),
            Some(_) => Err(self.malformed(otherwise)),
        }
    }

    pub(super) fn advance(&mut self) -> Result<(), JsonError> {
        self.place = self.place.after(self.next);
        self.next = self.bytes.next().transpose().map_err(JsonError::Io)?;
        Ok(())
    }

    pub(super) const fn malformed(&self, rule: &'static str) -> JsonError {
        JsonError::Malformed(self.place, rule)
    }
}

/// Whether a text is a JSON number (RFC 8259 §6).
pub(crate) fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Json, JsonError> {
        Parser::new(text.as_bytes()).and_then(Parser::single)
    }

    fn place_of(text: &str) -> String {
        match parse(text) {
            Err(JsonError::Malformed(at, rule)) => format!("{at}: {rule}"),
            _ => "understood".to_owned(),
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, told) in [
            ("{\"a\": 1,\n \"b\": 2,\n  \"a\": 3}", "line 3, column 3: a member occurs twice in one object"),
            ("{\"a\": {\"b\": 1, \"\\u0062\": 2}}", "line 1, column 16: a member occurs twice in one object"),
            ("[1,\n 02]", "line 2, column 2: not a JSON number"),
            ("[1 2]", "line 1, column 4: a comma or the end of the list is missing"),
            ("\"\\ud800x\"", "line 1, column 8: half of a character stands alone"),
            ("\"a\nb\"", "line 1, column 3: a control character stands in a text"),
            ("[1] x", "line 1, column 5: something follows the value"),
            ("[\"a", "line 1, column 4: the text ends too early"),
            ("nul", "line 1, column 4: the text ends too early"),
            ("\u{feff}[]", "line 1, column 1: not a JSON value"),
        ] {
            assert_eq!(place_of(text), told, "{text}");
        }
        assert!(place_of(&"[".repeat(40)).ends_with("nested too deeply"));
        assert!(matches!(
            Parser::new(&b"\"\xff\""[..]).and_then(Parser::single),
            Err(JsonError::Malformed(..))
        ));
    }

    fn from_serde(value: &serde_json::Value) -> Json {
        match value {
            serde_json::Value::Null => Json::Null,
            serde_json::Value::Bool(value) => Json::Bool(*value),
            serde_json::Value::Number(number) => Json::Number(number.to_string()),
            serde_json::Value::String(text) => Json::String(text.clone()),
            serde_json::Value::Array(items) => Json::Array(items.iter().map(from_serde).collect()),
            serde_json::Value::Object(members) => Json::Object(
                members
                    .iter()
                    .map(|(name, value)| Member {
                        name: name.clone(),
                        at: Place::default(),
                        value: from_serde(value),
                    })
                    .collect(),
            ),
        }
    }

    fn without_places(value: Json) -> Json {
        match value {
            Json::Array(items) => Json::Array(items.into_iter().map(without_places).collect()),
            Json::Object(members) => Json::Object(
                members
                    .into_iter()
                    .map(|member| Member {
                        at: Place::default(),
                        value: without_places(member.value),
                        ..member
                    })
                    .collect(),
            ),
            other => other,
        }
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i64>().prop_map(serde_json::Value::from),
            "\\PC{0,8}|[\\x00-\\x1f\"\\\\]{0,4}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::Array),
                prop::collection::btree_map("\\PC{0,4}", inner, 0..5)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_reads_what_another_implementation_writes(value in any_json()) {
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                prop_assert!(parse(&text).is_ok_and(|json| without_places(json) == from_serde(&value)), "{}", text);
            }
        }

        #[test]
        fn it_accepts_what_another_implementation_accepts(text in "[\\[\\]{},:\"\\\\ntrue0-9.eE+ -]{0,12}") {
            let strict = crate::domain::jose::parse_strict_json(text.as_bytes()).is_ok();
            // The other parser limits numbers to what a double can hold.
            prop_assert!(parse(&text).is_ok() == strict || text.contains(['e', 'E']), "{}", text);
        }

        #[test]
        fn numbers_keep_every_digit(text in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?") {
            prop_assert!(is_number(&text));
            prop_assert!(matches!(parse(&text), Ok(Json::Number(digits)) if digits == text));
        }
    }
}
