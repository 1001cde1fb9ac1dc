//! The times of a signed message.

use serde_json::{Map, Value};

use super::JoseError;
use crate::domain::clock::Timestamp;

/// The greatest `NumericDate` accepted: the last second of the year 9999.
pub(crate) const MAX_NUMERIC_DATE: i64 = 253_402_300_799;

/// Maximum time that another node's clock may be ahead, in seconds.
pub(crate) const MAX_SKEW_SECS: i64 = 60;

/// Claims that are times wherever they occur at the top level of a payload.
const TIME_CLAIMS: [&str; 4] = ["iat", "nbf", "exp", "auth_time"];

/// Checks that every time claim is a number of seconds from 1970 to 9999, and rounds it to a whole number. A
/// `NumericDate` may have a fraction (RFC 7519 §2): `nbf` is rounded up and the others down, so that no message is
/// accepted for longer than it states.
pub(super) fn to_whole_seconds(claims: &mut Map<String, Value>) -> Result<(), JoseError> {
    for name in TIME_CLAIMS {
        let Some(value) = claims.get_mut(name) else { continue };
        let secs = match value.as_i64() {
            Some(secs) => secs,
            None => whole_seconds(value, name == "nbf").ok_or(JoseError::MalformedTime(name))?,
        };
        if !(0..=MAX_NUMERIC_DATE).contains(&secs) {
            return Err(JoseError::MalformedTime(name));
        }
        *value = secs.into();
    }
    Ok(())
}

/// A number with a fraction or an exponent as whole seconds; `None` if it is no number, or out of range.
fn whole_seconds(value: &Value, up: bool) -> Option<i64> {
    let secs = value.as_f64()?;
    let whole = if up { secs.ceil() } else { secs.floor() };
    // Printed without exponent: within these bounds every whole f64 is an exact integer.
    (0.0..=253_402_300_799.0).contains(&whole).then(|| format!("{whole:.0}").parse().ok())?
}

/// Checks validity at `now`: `exp` (seconds) not reached, `iat` and `nbf` (seconds) at most 60 s ahead. `None` is not
/// checked: require claims through [`super::Profile::required`].
///
/// # Errors
/// [`JoseError::Expired`] or [`JoseError::NotYetValid`].
pub(crate) fn check_times(
    now: Timestamp,
    iat: Option<i64>,
    nbf: Option<i64>,
    exp: Option<i64>,
) -> Result<(), JoseError> {
    if exp.is_some_and(|exp| Timestamp::from_secs(exp) <= now) {
        return Err(JoseError::Expired);
    }
    let latest = now.plus_secs(MAX_SKEW_SECS);
    if [iat, nbf].into_iter().flatten().any(|from| Timestamp::from_secs(from) > latest) {
        return Err(JoseError::NotYetValid);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fractions_of_seconds_never_lengthen_a_life() {
        let read = |claims: Value| {
            let mut claims = claims.as_object().unwrap().clone();
            to_whole_seconds(&mut claims).map(|()| Value::Object(claims))
        };
        let fractions =
            json!({"iat": 1795779999.9, "exp": 1795780000.9, "nbf": 1795779999.1, "auth_time": 1795779999.0});
        let whole = json!({"iat": 1795779999, "exp": 1795780000, "nbf": 1795780000, "auth_time": 1795779999});
        assert_eq!(read(fractions).unwrap(), whole);
        assert_eq!(read(json!({"exp": 2e9})).unwrap(), json!({"exp": 2_000_000_000}));
        for unfit in [json!(-0.5), json!(1e300), json!(253402300800.0), json!("1"), json!(null), json!(true)]
        {
            assert_eq!(read(json!({ "exp": unfit })), Err(JoseError::MalformedTime("exp")), "{unfit}");
        }
    }

    #[test]
    fn the_bounds_are_exact() {
        let now = Timestamp::from_secs(1000);
        assert_eq!(check_times(now, Some(1010), Some(1060), Some(1001)), Ok(()));
        assert_eq!(check_times(now, None, None, Some(1000)), Err(JoseError::Expired));
        assert_eq!(check_times(now, Some(1061), None, None), Err(JoseError::NotYetValid));
        assert_eq!(check_times(now, None, Some(1061), None), Err(JoseError::NotYetValid));
        assert_eq!(check_times(now, Some(i64::MAX), None, None), Err(JoseError::NotYetValid));
    }
}
