//! CSV as RFC 4180 writes it, with the separator and the encoding that the dataset names, strictly: what another system would
//! read differently is an error with its place.

use std::io::BufRead;

use super::json::Place;
use crate::domain::catalogue::register::{CsvDialect, CsvEncoding};

/// Maximum size of one row in bytes.
const MAX_ROW: usize = 1024 * 1024;

/// Why a table cannot be parsed. Gives the place, never the content.
#[derive(Debug)]
pub(crate) enum CsvError {
    /// The text breaks a rule at a place.
    Malformed(Place, &'static str),
    /// The text cannot be read.
    Io(std::io::Error),
}

/// One cell with its place.
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
    delimiter: u8,
    encoding: CsvEncoding,
}

impl<R: BufRead> Rows<R> {
    /// A byte order mark at the beginning of UTF-8 is passed over; one of another encoding than the dialect's is an error.
    pub(crate) fn new(input: R, dialect: &CsvDialect) -> Result<Self, CsvError> {
        let mut rows = Self::at(input, dialect, Place::START)?;
        rows.place = rows.place.after(None);
        match (rows.next, rows.encoding) {
            (Some(0xef), CsvEncoding::Utf8) => {
                for expected in [0xef, 0xbb, 0xbf] {
                    if rows.next != Some(expected) {
                        return Err(rows.malformed("the file is not UTF-8"));
                    }
                    rows.advance()?;
                }
            }
            (Some(0xfe | 0xff), CsvEncoding::Utf8) => {
                return Err(rows.malformed("the file is not UTF-8; UTF-16 is not read"));
            }
            _ => {}
        }
        Ok(rows)
    }

    /// Reads on from the beginning of a row; the input begins there.
    pub(crate) fn resume(input: R, dialect: &CsvDialect, place: Place) -> Result<Self, CsvError> {
        Self::at(input, dialect, place)
    }

    fn at(input: R, dialect: &CsvDialect, place: Place) -> Result<Self, CsvError> {
        let mut bytes = input.bytes();
        let next = bytes.next().transpose().map_err(CsvError::Io)?;
        Ok(Self { bytes, next, place, delimiter: dialect.delimiter.byte(), encoding: dialect.encoding })
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
            let text = decode(self.encoding, bytes).map_err(|rule| CsvError::Malformed(at, rule))?;
            cells.push(Cell { text, at });
            match self.next {
                Some(byte) if byte == self.delimiter => self.advance()?,
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
                None | Some(b'\r' | b'\n') => return Ok(bytes),
                Some(byte) if byte == self.delimiter => return Ok(bytes),
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
                        None | Some(b'\r' | b'\n') => return Ok(bytes),
                        Some(byte) if byte == self.delimiter => return Ok(bytes),
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
        self.place = self.place.after(self.next);
        self.next = self.bytes.next().transpose().map_err(CsvError::Io)?;
        Ok(())
    }

    const fn malformed(&self, rule: &'static str) -> CsvError {
        CsvError::Malformed(self.place, rule)
    }
}

/// The text of a cell. A byte that the encoding has no character for is an error: the file is in another encoding.
fn decode(encoding: CsvEncoding, bytes: Vec<u8>) -> Result<String, &'static str> {
    let single = match encoding {
        CsvEncoding::Utf8 => return String::from_utf8(bytes).map_err(|_| "a cell is not UTF-8"),
        CsvEncoding::Windows1252 => encoding_rs::WINDOWS_1252,
        CsvEncoding::Iso8859_15 => encoding_rs::ISO_8859_15,
    };
    let (text, malformed) = single.decode_without_bom_handling(&bytes);
    // Unassigned bytes become C1 control characters, which no register's text has.
    if malformed || text.contains(|character| matches!(character, '\u{80}'..='\u{9f}')) {
        return Err("a byte that the encoding has no character for");
    }
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::catalogue::register::CsvDelimiter;

    fn rows(text: &[u8]) -> Result<Vec<Vec<String>>, CsvError> {
        rows_in(text, &CsvDialect::default())
    }

    fn rows_in(text: &[u8], dialect: &CsvDialect) -> Result<Vec<Vec<String>>, CsvError> {
        let mut rows = Rows::new(text, dialect)?;
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

    #[test]
    fn separators_and_encodings_are_the_datasets() {
        let finnish = CsvDialect {
            delimiter: CsvDelimiter::Semicolon,
            encoding: CsvEncoding::Windows1252,
            ..CsvDialect::default()
        };
        let text = b"Yksikk\xf6;Maksu\r\n\"P\xe4iv\xe4koti; \"\"Kuusi\"\"\";288,30\r\n\x80;\xa4\r\n";
        let read = [["Yksikkö", "Maksu"], ["Päiväkoti; \"Kuusi\"", "288,30"], ["€", "¤"]];
        assert_eq!(rows_in(text, &finnish).unwrap(), read);
        let latin9 = CsvDialect { encoding: CsvEncoding::Iso8859_15, ..finnish };
        assert_eq!(rows_in(b"\xa4;\xa6", &latin9).unwrap(), [["€", "Š"]]);
        let tabs = CsvDialect { delimiter: CsvDelimiter::Tab, ..CsvDialect::default() };
        assert_eq!(rows_in(b"a,b\tc;d\n", &tabs).unwrap(), [["a,b", "c;d"]]);
        for (text, dialect) in [(&b"a\x81"[..], &finnish), (&b"a\x80"[..], &latin9)] {
            let refused = rows_in(text, dialect);
            let rule = "a byte that the encoding has no character for";
            assert!(matches!(refused, Err(CsvError::Malformed(_, told)) if told == rule), "{text:?}");
        }
        let utf16 = "a;b".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let utf16 = [&[0xff, 0xfe][..], &utf16].concat();
        assert!(matches!(rows(&utf16), Err(CsvError::Malformed(_, told)) if told.contains("UTF-16")));
    }

    #[test]
    fn a_row_is_read_again_from_its_place() {
        let text = b"a,b\n1,\"x\ny\"\n2,\"z\n";
        let mut rows = Rows::new(&text[..], &CsvDialect::default()).unwrap();
        rows.row().unwrap();
        let first = rows.row().unwrap().unwrap();
        let place = first[0].at;
        assert_eq!((place.offset, place.line), (4, 2));
        let mut again = Rows::resume(&text[4..], &CsvDialect::default(), place).unwrap();
        assert_eq!(again.row().unwrap().unwrap(), first);
        // Places go on from there.
        let told = again.row().unwrap_err();
        assert!(matches!(told, CsvError::Malformed(at, _) if at.line == 5), "{told:?}");
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
