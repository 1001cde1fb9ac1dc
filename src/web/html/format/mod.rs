//! Display formats of dates, periods, legal bases and values. Pure functions.

mod date;
mod legal;
mod period;
mod value;

pub use date::{day, helsinki_offset_hours, moment, moment_day};
pub use legal::LegalBasis;
pub use period::{Period, PeriodPart};
pub use value::{Html, value_html};
