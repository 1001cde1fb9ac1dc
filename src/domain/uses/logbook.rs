//! Lines of a Dutch *Logboek dataverwerkingen* (Logius), as its standard writes them or as OpenTelemetry's JSON encoding
//! of traces (OTLP).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::UsagePeriod;
use crate::domain::clock::Timestamp;
use crate::domain::ids::NationalIdentifier;

/// One processing operation about a person.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Trace and span: unique for the operation.
    pub(crate) event: String,
    /// The address of the activity in the record of processing.
    pub(crate) activity: String,
    pub(crate) person: NationalIdentifier,
    pub(crate) period: UsagePeriod,
}

/// Why an operation is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// It failed.
    Failed,
    /// It names no person.
    NoPerson,
    /// It names the person in another way than this node does.
    OtherIdentifier,
}

/// An operation as the standard's interface has it.
#[derive(Deserialize)]
struct Plain {
    trace_id: String,
    #[serde(alias = "operation_id")]
    span_id: String,
    #[serde(alias = "status_code", default)]
    status: Value,
    start_time: Value,
    end_time: Value,
    #[serde(default)]
    attributes: Map<String, Value>,
}

/// The operations of one line. `subject_type` is the `dpl.core.data_subject_id_type` of this node's identifiers.
///
/// # Errors
/// What is wrong with the line; quotes nothing of it.
pub(crate) fn read_line(
    line: &str,
    subject_type: &str,
) -> Result<Vec<Result<Operation, LeftOut>>, &'static str> {
    let value: Value = serde_json::from_str(line).map_err(|_| "not JSON")?;
    let spans = match value.get("resourceSpans") {
        Some(resources) => {
            let inner = |value: &Value, key: &str| {
                value.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
            };
            let resources = resources.as_array().ok_or("resourceSpans is not a list")?;
            resources
                .iter()
                .flat_map(|resource| inner(resource, "scopeSpans"))
                .flat_map(|scope| inner(&scope, "spans"))
                .map(|span| plain(&span).ok_or("a span lacks an identifier or a time"))
                .collect::<Result<Vec<_>, _>>()?
        }
        None => vec![serde_json::from_value(value).map_err(|_| "neither OTLP nor a line of the standard")?],
    };
    spans.into_iter().map(|span| operation(span, subject_type)).collect()
}

/// A span of OTLP.
fn plain(span: &Value) -> Option<Plain> {
    let text = |key: &str| span.get(key).and_then(Value::as_str).map(str::to_owned);
    let list = span.get("attributes").and_then(Value::as_array).cloned().unwrap_or_default();
    let attributes = list
        .iter()
        .filter_map(|pair| {
            let value = pair.get("value")?.get("stringValue")?;
            Some((pair.get("key")?.as_str()?.to_owned(), value.clone()))
        })
        .collect();
    // Nanoseconds as decimal text (OTLP's JSON encoding of 64-bit integers), here milliseconds.
    let millis = |key: &str| {
        let value = span.get(key)?;
        let nanos = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
        Some(Value::from(nanos / 1_000_000))
    };
    Some(Plain {
        trace_id: text("traceId")?,
        span_id: text("spanId")?,
        status: span.get("status").and_then(|status| status.get("code")).cloned().unwrap_or_default(),
        start_time: millis("startTimeUnixNano")?,
        end_time: millis("endTimeUnixNano")?,
        attributes,
    })
}

fn operation(span: Plain, subject_type: &str) -> Result<Result<Operation, LeftOut>, &'static str> {
    let failed = match &span.status {
        Value::Number(code) => code.as_i64() == Some(2),
        Value::String(word) => word.eq_ignore_ascii_case("error") || word == "STATUS_CODE_ERROR",
        _ => false,
    };
    if failed {
        return Ok(Err(LeftOut::Failed));
    }
    let attribute =
        |name: &str| span.attributes.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(person) = attribute("dpl.core.data_subject_id") else { return Ok(Err(LeftOut::NoPerson)) };
    if attribute("dpl.core.data_subject_id_type") != Some(subject_type) {
        return Ok(Err(LeftOut::OtherIdentifier));
    }
    let activity = attribute("dpl.core.processing_activity_id")
        .ok_or("there is no dpl.core.processing_activity_id")?
        .to_owned();
    let is_hex =
        |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex(&span.trace_id, 32) || !is_hex(&span.span_id, 16) {
        return Err("trace and span are not 16 and 8 bytes in hexadecimal");
    }
    let from = moment(&span.start_time).ok_or("the start is no time")?;
    let to = moment(&span.end_time).ok_or("the end is no time")?;
    Ok(Ok(Operation {
        event: format!("{}/{}", span.trace_id, span.span_id).to_ascii_lowercase(),
        activity,
        person: NationalIdentifier::new(person).map_err(|_| "the data subject is not an identifier")?,
        period: UsagePeriod { from, to },
    }))
}

/// Milliseconds since 1970, or RFC 3339.
fn moment(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(millis) => Some(Timestamp::from_micros(millis.as_i64()?.checked_mul(1000)?)),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = r#"{"trace_id": "7bba9f33312b3dabc8f8e90c7c61f194", "span_id": "2a3f5c8d1e6b4a09", "status": "Ok",
        "name": "look up", "start_time": "2026-03-09T20:21:00Z", "end_time": 1773087780000, "attributes": {
        "dpl.core.processing_activity_id": "https://city.example/catalogue/uses#fees",
        "dpl.core.data_subject_id": "010101a900b", "dpl.core.data_subject_id_type": "HETU"}}"#;
    const OTLP: &str = r#"{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "7BBA9F33312B3DABC8F8E90C7C61F194",
        "spanId": "2a3f5c8d1e6b4a09", "startTimeUnixNano": "1773087660000000000", "endTimeUnixNano": "1773087780000000000",
        "status": {"code": 1}, "attributes": [
        {"key": "dpl.core.processing_activity_id", "value": {"stringValue": "https://city.example/catalogue/uses#fees"}},
        {"key": "dpl.core.data_subject_id", "value": {"stringValue": "010101A900B"}},
        {"key": "dpl.core.data_subject_id_type", "value": {"stringValue": "HETU"}}]}]}]}]}"#;

    #[test]
    fn a_line_of_the_standard_and_a_span_of_otlp_say_the_same() {
        for line in [PLAIN, OTLP] {
            let [Ok(operation)] = &read_line(line, "HETU").unwrap()[..] else { panic!("{line}") };
            assert_eq!(operation.event, "7bba9f33312b3dabc8f8e90c7c61f194/2a3f5c8d1e6b4a09");
            assert_eq!(operation.person.reveal(), "010101A900B");
            assert_eq!(operation.activity, "https://city.example/catalogue/uses#fees");
            assert_eq!(operation.period.from.rfc3339(), "2026-03-09T20:21:00Z");
            assert_eq!(operation.period.to.rfc3339(), "2026-03-09T20:23:00Z");
        }
    }

    #[test]
    fn what_failed_or_names_nobody_here_is_left_out_and_what_is_malformed_is_told() {
        let left_out = |line: &str| read_line(line, "HETU").map(|mut all| all.remove(0).unwrap_err());
        assert_eq!(left_out(&PLAIN.replace("\"Ok\"", "\"Error\"")), Ok(LeftOut::Failed));
        assert_eq!(left_out(&OTLP.replace("\"code\": 1", "\"code\": 2")), Ok(LeftOut::Failed));
        assert_eq!(left_out(&PLAIN.replace("HETU", "BSN")), Ok(LeftOut::OtherIdentifier));
        assert_eq!(left_out(&PLAIN.replace("010101a900b", "")), Ok(LeftOut::NoPerson));
        for (line, told) in [
            ("{", "not JSON"),
            ("{}", "neither OTLP nor a line of the standard"),
            (
                &*PLAIN.replace("2a3f5c8d1e6b4a09", "2a3f"),
                "trace and span are not 16 and 8 bytes in hexadecimal",
            ),
            (&*PLAIN.replace("2026-03-09T20:21:00Z", "yesterday"), "the start is no time"),
            (
                &*PLAIN.replace("processing_activity_id", "other"),
                "there is no dpl.core.processing_activity_id",
            ),
        ] {
            assert_eq!(read_line(line, "HETU").map(|_| ()), Err(told));
        }
    }
}
