//! CSV as RFC 4180 writes it, strictly: what another system would read differently is an error with its place.

use std::io::BufRead;

use super::json::Place;

/// Most bytes of one row.
const MAX_ROW: usize = 1024 * 1024;

/// Why a table cannot be understood. Says where, never what stands there.
#[derive(Debug)]
pub(crate) enum CsvError {
    /// The text breaks a rule at a place.
    Malformed(Place, &'static str),
    /// The text cannot be read.
    Io(std::io::Error),
}

/// One cell, and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) at: Place,
}

/// Reads a table row by row.
pub(crate) struct Rows<R> {
    bytes: std::io::Bytes<R>,
    next: Option<u8>,
    place: Place,
}

impl<R: BufRead> Rows<R> {
    /// A byte order mark at the beginning is passed over.
    pub(crate) fn new(input: R) -> Result<Self, CsvError> {
        let mut rows = Self { bytes: input.bytes(), next: None, place: Place { line: 1, column: 0 } };
        rows.advance()?;
        if rows.next == Some(0xef) {
            for expected in [0xef, 0xbb, 0xbf] {
                if rows.next != Some(expected) {
                    return Err(rows.malformed("the file is not UTF-8"));
                }
                rows.advance()?;
            }
        }
        Ok(rows)
    }

    /// The next row; `None` at the end. Empty lines are passed over.
    pub(crate) fn row(&mut self) -> Result<Option<Vec<Cell>>, CsvError> {
        while let Some(b'\r' | b'\n') = self.next {
            self.line_end()?;
        }
        if self.next.is_none() {
            return Ok(None);
        }
        let (mut cells, mut size) = (Vec::new(), 0_usize);
        loop {
            let at = self.place;
            let bytes = if self.next == Some(b'"') { self.quoted()? } else { self.plain()? };
            size = size.saturating_add(bytes.len());
            if size > MAX_ROW {
                return Err(CsvError::Malformed(at, "a row is larger than 1 MiB"));
            }
            let text =
                String::from_utf8(bytes).map_err(|_| CsvError::Malformed(at, "a cell is not UTF-8"))?;
            cells.push(Cell { text, at });
            match self.next {
                Some(b',') => self.advance()?,
                None => return Ok(Some(cells)),
                Some(_) => {
                    self.line_end()?;
                    return Ok(Some(cells));
                }
            }
        }
    }

    fn plain(&mut self) -> Result<Vec<u8>, CsvError> {
        let mut bytes = Vec::new();
        loop {
            match self.next {
                None | Some(b',' | b'\r' | b'\n') => return Ok(bytes),
                Some(b'"') => return Err(self.malformed("a quote stands in a cell that is not quoted")),
                Some(byte) => self.take(&mut bytes, byte)?,
            }
        }
    }

    fn quoted(&mut self) -> Result<Vec<u8>, CsvError> {
        let mut bytes = Vec::new();
        self.advance()?;
        loop {
            match self.next {
                None => return Err(self.malformed("the file ends within a quoted cell")),
                Some(b'"') => {
                    self.advance()?;
                    match self.next {
                        Some(b'"') => self.take(&mut bytes, b'"')?,
                        None | Some(b',' | b'\r' | b'\n') => return Ok(bytes),
                        // Such as \" in a dialect that is not RFC 4180.
                        Some(_) => return Err(self.malformed("a quote within a quoted cell is not doubled")),
                    }
                }
                Some(byte) => self.take(&mut bytes, byte)?,
            }
        }
    }

    fn take(&mut self, bytes: &mut Vec<u8>, byte: u8) -> Result<(), CsvError> {
        if bytes.len() >= MAX_ROW {
            return Err(self.malformed("a row is larger than 1 MiB"));
        }
        bytes.push(byte);
        self.advance()
    }

    fn line_end(&mut self) -> Result<(), CsvError> {
        if self.next == Some(b'\r') {
            self.advance()?;
            if self.next != Some(b'\n') {
                return Err(self.malformed("a carriage return without a line feed"));
            }
        }
        self.advance()
    }

    fn advance(&mut self) -> Result<(), CsvError> {
        if self.next == Some(b'\n') {
            self.place = Place { line: self.place.line.saturating_add(1), column: 0 };
        }
        self.next = self.bytes.next().transpose().map_err(CsvError::Io)?;
        self.place.column = self.place.column.saturating_add(1);
        Ok(())
    }

    const fn malformed(&self, rule: &'static str) -> CsvError {
        CsvError::Malformed(self.place, rule)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(text: &[u8]) -> Result<Vec<Vec<String>>, CsvError> {
        let mut rows = Rows::new(text)?;
        let mut all = Vec::new();
        while let Some(row) = rows.row()? {
            all.push(row.into_iter().map(|cell| cell.text).collect());
        }
        Ok(all)
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, told) in [
            ("a,b\n\"x \\\"y\\\"\",1\n", "line 2, column 6: a quote within a quoted cell is not doubled"),
            ("a,b\nx\"y,1\n", "line 2, column 2: a quote stands in a cell that is not quoted"),
            ("a,b\n\"x,1\n", "line 3, column 1: the file ends within a quoted cell"),
            ("a,b\rc,d", "line 1, column 5: a carriage return without a line feed"),
        ] {
            match rows(text.as_bytes()) {
                Err(CsvError::Malformed(at, rule)) => assert_eq!(format!("{at}: {rule}"), told, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        assert!(matches!(rows(b"a\n\xff\n"), Err(CsvError::Malformed(_, "a cell is not UTF-8"))));
        assert!(matches!(rows(b"\xefa"), Err(CsvError::Malformed(_, "the file is not UTF-8"))));
    }

    #[test]
    fn a_backslash_before_a_closing_quote_is_a_backslash() {
        assert_eq!(rows(b"\"C:\\\",x\n").unwrap(), [["C:\\", "x"]]);
    }

    proptest! {
        #[test]
        fn what_another_implementation_writes_is_read_as_it_was(
            table in prop::collection::vec(prop::collection::vec("[a,\"\\\\\r\n\u{e4} ]{0,6}", 2..4), 1..5),
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).unwrap();
            }
            prop_assert_eq!(rows(&writer.into_inner().unwrap()).unwrap(), table);
        }
    }
}
