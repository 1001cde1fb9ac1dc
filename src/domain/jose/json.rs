//! JSON without ambiguities between parsers: no duplicate member names, limited nesting.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::JoseError;

/// Maximum nesting of objects and arrays; the deepest message of this product has seven.
const MAX_DEPTH: usize = 16;

/// Parses one JSON text, refusing duplicate member names at any depth (compared after unescaping), nesting deeper than
/// 16, a byte order mark, lone surrogates and trailing data.
///
/// # Errors
/// [`JoseError::Utf8`], [`JoseError::Json`], [`JoseError::DuplicateMember`] or [`JoseError::TooDeep`].
pub(crate) fn parse_strict_json(bytes: &[u8]) -> Result<Value, JoseError> {
    let text = std::str::from_utf8(bytes).map_err(|_| JoseError::Utf8)?;
    // serde errors carry text only, so the visitor stores its own error here.
    let refusal = Cell::new(JoseError::Json);
    let mut parser = serde_json::Deserializer::from_str(text);
    let value =
        Strict { depth: MAX_DEPTH, refusal: &refusal }.deserialize(&mut parser).map_err(|_| refusal.get())?;
    parser.end().map_err(|_| JoseError::Json)?;
    Ok(value)
}

/// As [`parse_strict_json`], and the value must be an object.
pub(super) fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, JoseError> {
    match parse_strict_json(bytes)? {
        Value::Object(members) => Ok(members),
        _ => Err(JoseError::NotObject),
    }
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    refusal: &'a Cell<JoseError>,
}

impl Strict<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth, ..self }),
            None => Err(self.refuse(JoseError::TooDeep)),
        }
    }

    fn refuse<E: serde::de::Error>(self, reason: JoseError) -> E {
        self.refusal.set(reason);
        E::custom(reason)
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = input.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = input.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(self.refuse(JoseError::DuplicateMember));
            }
            let value = input.next_value_seed(inner)?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_json_is_read_as_serde_json_reads_it() {
        let text = r#"{"a":[1,-2,3.5,null,true,"\u00e4"],"b":{"a":1}}"#;
        assert_eq!(parse_strict_json(text.as_bytes()), Ok(serde_json::from_str(text).unwrap()));
    }

    #[test]
    fn ambiguous_json_is_refused() {
        let deep = format!("{}{}", "[".repeat(17), "]".repeat(17));
        let cases: [(&[u8], JoseError); 10] = [
            (br#"{"a":1,"a":2}"#, JoseError::DuplicateMember),
            (br#"{"a":1,"\u0061":2}"#, JoseError::DuplicateMember),
            (br#"{"x":[{"a":1,"a":1}]}"#, JoseError::DuplicateMember),
            (deep.as_bytes(), JoseError::TooDeep),
            (b"\xef\xbb\xbf{}", JoseError::Json),
            (b"\xff", JoseError::Utf8),
            (br#"{"a":"\ud800"}"#, JoseError::Json),
            (b"{} x", JoseError::Json),
            (b"{\"a\":1e999}", JoseError::Json),
            (b"", JoseError::Json),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_strict_json(text), Err(expected), "{}", String::from_utf8_lossy(text));
        }
        let bound = format!("{}{}", "[".repeat(16), "]".repeat(16));
        assert!(parse_strict_json(bound.as_bytes()).is_ok());
    }
}
