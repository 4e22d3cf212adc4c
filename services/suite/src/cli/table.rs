//! A CSV file as people have them: with or without a byte order mark, divided by comma, semicolon or tab, headers in their own words.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use csv::{ByteRecord, Reader, ReaderBuilder, Terminator, Trim};

/// What a column of a file can mean.
pub trait Column: Clone + Ord + fmt::Display {
    /// What a header means, in any spelling.
    fn of_header(header: &str) -> Option<Self>;
    /// The names of all columns, for messages.
    fn names() -> String;
}

/// Lower case, letters and digits only: `E-Mail`, `e mail` and `EMAIL` are one header.
pub fn squeeze(header: &str) -> String {
    header.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// An open file and what its columns mean.
pub struct Table<F> {
    reader: Reader<BufReader<File>>,
    columns: Vec<Option<F>>,
    ignored: Vec<String>,
}

/// One row.
pub struct Line<F> {
    /// Its line in the file, from 1; a row of several lines has its first.
    pub number: u64,
    /// Where in the file it ends, in octets.
    pub octets: u64,
    /// The cells that are not empty, or why the row cannot be read.
    pub cells: Result<BTreeMap<F, String>, String>,
}

impl<F: Column> Table<F> {
    /// Opens the file and reads its header. `map` names columns by hand: field, then header.
    pub fn open(path: &Path, map: &[(String, String)]) -> Result<Self, String> {
        let cannot = |error: &dyn std::fmt::Display| format!("cannot read {}: {error}", path.display());
        let mut file = BufReader::new(File::open(path).map_err(|error| cannot(&error))?);
        let start = file.fill_buf().map_err(|error| cannot(&error))?;
        if start.starts_with(&[0xFF, 0xFE]) || start.starts_with(&[0xFE, 0xFF]) {
            return Err(format!("{} is UTF-16: save it as UTF-8", path.display()));
        }
        let mark = if start.starts_with(&[0xEF, 0xBB, 0xBF]) { 3 } else { 0 };
        let delimiter = delimiter(&start[mark..]);
        file.consume(mark);
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            // And not CR LF as one, which would count the lines wrong; the CR is trimmed.
            .terminator(Terminator::Any(b'\n'))
            .flexible(true)
            .trim(Trim::All)
            .from_reader(file);
        let headers = reader.headers().map_err(|error| cannot(&error))?.clone();
        if headers.iter().all(str::is_empty) {
            return Err(format!("{} has no header row: name the columns in its first line, for example name,email,phone", path.display()));
        }
        let (columns, ignored) = columns(headers.iter(), map)?;
        Ok(Self { reader, columns, ignored })
    }

    /// The columns that mean nothing to us.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The next row; a row that cannot be read is one too.
    pub fn next(&mut self) -> Option<Line<F>> {
        let mut record = ByteRecord::new();
        match self.reader.read_byte_record(&mut record) {
            Ok(false) => None,
            Ok(true) => {
                let number = record.position().map_or(0, csv::Position::line);
                Some(Line { number, octets: self.reader.position().byte(), cells: self.cells(&record) })
            }
            Err(error) => {
                let position = self.reader.position();
                // An error of the disk comes again and again; what was read until here stands.
                let ends = matches!(error.kind(), csv::ErrorKind::Io(_));
                if ends { None } else { Some(Line { number: position.line(), octets: position.byte(), cells: Err(error.to_string()) }) }
            }
        }
    }

    fn cells(&self, record: &ByteRecord) -> Result<BTreeMap<F, String>, String> {
        if record.len() != self.columns.len() {
            return Err(format!(
                "has {} columns where the header has {}: check the quotes and the dividers",
                record.len(),
                self.columns.len()
            ));
        }
        let mut cells = BTreeMap::new();
        for (column, cell) in self.columns.iter().zip(record) {
            let Some(field) = column else { continue };
            let text = std::str::from_utf8(cell).map_err(|_| format!("{field} is not UTF-8"))?;
            if !text.is_empty() {
                cells.insert(field.clone(), text.to_owned());
            }
        }
        Ok(cells)
    }
}

/// The divider that the header uses most, outside quotes.
fn delimiter(start: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for octet in start {
        match octet {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            octet if !quoted => {
                if let Some((_, count)) = counts.iter_mut().find(|(known, _)| known == octet) {
                    *count += 1;
                }
            }
            _ => {}
        }
    }
    // The first of equals: max_by_key would take the last.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(octet, _)| *octet)
}

type Columns<F> = (Vec<Option<F>>, Vec<String>);

fn columns<'a, F: Column>(headers: impl Iterator<Item = &'a str>, map: &[(String, String)]) -> Result<Columns<F>, String> {
    let mut by_hand = BTreeMap::new();
    for (field, header) in map {
        let known =
            F::of_header(field).ok_or_else(|| format!("--map {field}={header}: {field:?} is no field; use one of {}", F::names()))?;
        by_hand.insert(header.as_str(), known);
    }
    let (mut columns, mut ignored) = (Vec::new(), Vec::new());
    for header in headers {
        let field = by_hand.remove(header).or_else(|| F::of_header(header));
        if field.is_none() {
            ignored.push(header.to_owned());
        } else if columns.contains(&field) {
            return Err(format!("two columns mean the same: {header:?} and one before it; rename or remove one"));
        }
        columns.push(field);
    }
    if let Some(missing) = by_hand.keys().next() {
        return Err(format!("--map: there is no column {missing:?} in the file"));
    }
    if columns.iter().all(Option::is_none) {
        return Err(format!("no column of the file is known: use headers such as {}, or --map FIELD=COLUMN", F::names()));
    }
    Ok((columns, ignored))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{super::import::row::Field, *};

    type Cells = Result<BTreeMap<Field, String>, String>;

    fn read(content: &[u8]) -> Result<Vec<Cells>, String> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(content).expect("written");
        let mut table = Table::<Field>::open(file.path(), &[])?;
        Ok(std::iter::from_fn(|| table.next()).map(|line| line.cells).collect())
    }

    #[test]
    fn the_divider_and_the_byte_order_mark_are_found_out() {
        for content in [
            "\u{feff}Name;E-Mail\nAda;ada@example.com\n",
            "name,email\n\"Ada\",ada@example.com",
            "Full Name\tEmail Address\r\nAda\tada@example.com\r\n",
        ] {
            let rows = read(content.as_bytes()).expect("a table");
            let row = rows[0].as_ref().expect("a row");
            assert_eq!(row.get(&Field::DisplayName).map(String::as_str), Some("Ada"), "{content}");
            assert_eq!(row.get(&Field::Email).map(String::as_str), Some("ada@example.com"), "{content}");
        }
    }

    #[test]
    fn a_row_is_named_by_its_line_in_the_file() {
        for content in ["name,email\nAda,a\n\"Bob\nJunior\",b\nEve,c\n", "name,email\r\nAda,a\r\n\"Bob\r\nJunior\",b\r\nEve,c\r\n"] {
            let mut file = tempfile::NamedTempFile::new().expect("a file");
            file.write_all(content.as_bytes()).expect("written");
            let mut table = Table::<Field>::open(file.path(), &[]).expect("a table");
            let lines: Vec<u64> = std::iter::from_fn(|| table.next()).map(|line| line.number).collect();
            assert_eq!(lines, [2, 3, 5], "{content:?}");
        }
    }

    #[test]
    fn a_bad_row_stops_no_other() {
        let rows = read(b"name,email\nAda,ada@example.com\nonly one\nBob \xff,bob@example.com\n\"Eve, the third\",eve@example.com\n")
            .expect("a table");
        let good: Vec<bool> = rows.iter().map(Result::is_ok).collect();
        assert_eq!(good, [true, false, false, true]);
    }

    #[test]
    fn a_file_that_cannot_be_meant_is_refused_with_what_to_do() {
        assert!(read(b"colour,size\nred,1\n").expect_err("unknown").contains("--map"));
        assert!(read(b"").expect_err("empty").contains("header"));
        assert!(read(b"\xff\xfen\0a\0").expect_err("UTF-16").contains("UTF-8"));
        assert!(read(b"email,e-mail\na,b\n").expect_err("twice").contains("same"));
    }
}
