//! Values that are JSON strings because a JSON number or a looser text would change or lose them.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The largest whole number that every JSON reader keeps (RFC 7493 §2.2): 2⁵³ − 1.
pub(crate) const MAX_EXACT_INTEGER: u64 = 9_007_199_254_740_991;

/// Maximum number of digits that an exponent may expand to.
const MAX_SHIFT: usize = 100;

/// A decimal number in its wire form: an optional minus, digits without leading zeros, and an optional fraction with
/// its trailing zeros kept. An exponent is expanded. `None` if the text is no such number.
#[must_use]
pub(crate) fn decimal(text: &str) -> Option<String> {
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some((whole, fraction)) => (whole, fraction),
        None => (mantissa, ""),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || (whole.len() > 1 && whole.starts_with('0'))
    {
        return None;
    }
    let (whole, fraction) = shift(whole, fraction, exponent)?;
    let sign = if negative { "-" } else { "" };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

/// Moves the decimal point by `exponent` places.
fn shift(whole: &str, fraction: &str, exponent: i32) -> Option<(String, String)> {
    let places = usize::try_from(exponent.unsigned_abs()).ok().filter(|places| *places <= MAX_SHIFT)?;
    if exponent == 0 {
        return Some((whole.to_owned(), fraction.to_owned()));
    }
    let (whole, fraction) = if exponent > 0 {
        let padded = format!("{fraction:0<places$}");
        let (moved, rest) = padded.split_at_checked(places)?;
        (format!("{whole}{moved}"), rest.to_owned())
    } else {
        let width = places.checked_add(1)?;
        let padded = format!("{whole:0>width$}");
        let (rest, moved) = padded.split_at_checked(padded.len().checked_sub(places)?)?;
        (rest.to_owned(), format!("{moved}{fraction}"))
    };
    let trimmed = whole.trim_start_matches('0');
    Some((if trimmed.is_empty() { "0" } else { trimmed }.to_owned(), fraction))
}

/// Whether a text is a date-time with offset (RFC 3339 §5.6).
#[must_use]
pub(crate) fn is_date_time(text: &str) -> bool {
    OffsetDateTime::parse(text, &Rfc3339).is_ok()
}
