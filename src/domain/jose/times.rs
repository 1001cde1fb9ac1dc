//! The times of a signed message.

use serde_json::{Map, Value};

use super::JoseError;
use crate::domain::clock::Timestamp;

/// The greatest `NumericDate` accepted: the last second of the year 9999.
pub const MAX_NUMERIC_DATE: i64 = 253_402_300_799;

/// How far another node's clock may be ahead, in seconds.
pub const MAX_SKEW_SECS: i64 = 60;

/// Claims that are times wherever they occur at the top of a payload.
const TIME_CLAIMS: [&str; 4] = ["iat", "nbf", "exp", "auth_time"];

/// Checks that every time claim present is a whole number of seconds from 1970 to 9999 (a stricter reading of
/// RFC 7519 §2, which allows fractions).
pub(super) fn check_form(claims: &Map<String, Value>) -> Result<(), JoseError> {
    for name in TIME_CLAIMS {
        let fits = match claims.get(name) {
            None => true,
            Some(value) => value.as_i64().is_some_and(|secs| (0..=MAX_NUMERIC_DATE).contains(&secs)),
        };
        if !fits {
            return Err(JoseError::MalformedTime(name));
        }
    }
    Ok(())
}

/// Checks validity at `now`: `exp` (seconds) not reached, `iat` and `nbf` (seconds) at most 60 s ahead.
/// What is `None` is not checked: demand claims through [`super::Profile::required`].
///
/// # Errors
/// [`JoseError::Expired`] or [`JoseError::NotYetValid`].
pub fn check_times(
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
    use super::*;

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
