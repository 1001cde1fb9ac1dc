//! Display formats of dates, periods, legal bases and values. Pure functions.

mod date;
mod legal;
mod period;
mod value;

pub(crate) use date::{day, moment, moment_day};
pub(crate) use legal::LegalBasis;
pub(crate) use period::{Period, PeriodPart};
pub(crate) use value::{Html, field_html, names_html};
