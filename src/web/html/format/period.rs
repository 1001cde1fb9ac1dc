//! ISO 8601 durations (`P1Y6M`), as far as retention and validity times use them: years, months, weeks and days.

/// One part of a period, with its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeriodPart {
    Years(u32),
    Months(u32),
    Weeks(u32),
    Days(u32),
}

/// A length of time in calendar units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Period {
    /// The parts that are not zero, longest first; empty means no time at all.
    pub(crate) parts: Vec<PeriodPart>,
}

impl Period {
    /// Parses `P1Y6M`, `P2W`, `P30D`; `None` with hours, minutes or fractions.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('P').filter(|rest| !rest.is_empty())?;
        let mut parts = Vec::new();
        let mut last_rank = 0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit())?;
            let (number, unit_and_rest) = rest.split_at(digits);
            let number: u32 = number.parse().ok()?;
            let unit = unit_and_rest.chars().next()?;
            let (rank, part) = match unit {
                'Y' => (1, PeriodPart::Years(number)),
                'M' => (2, PeriodPart::Months(number)),
                'W' => (3, PeriodPart::Weeks(number)),
                'D' => (4, PeriodPart::Days(number)),
                _ => return None,
            };
            if rank <= last_rank {
                return None;
            }
            last_rank = rank;
            if number > 0 {
                parts.push(part);
            }
            rest = unit_and_rest.get(unit.len_utf8()..)?;
        }
        Some(Self { parts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_and_bad_periods() {
        assert_eq!(Period::parse("P1Y6M").unwrap().parts, [PeriodPart::Years(1), PeriodPart::Months(6)],);
        assert_eq!(Period::parse("P2W").unwrap().parts, [PeriodPart::Weeks(2)]);
        assert_eq!(Period::parse("P0D").unwrap().parts, []);
        for bad in
            ["", "P", "1Y", "PY", "P1", "P1M1Y", "P1Y1Y", "PT1H", "P1,5Y", "P-1Y", "P1Ä", "P99999999999Y"]
        {
            assert_eq!(Period::parse(bad), None, "{bad}");
        }
    }
}
