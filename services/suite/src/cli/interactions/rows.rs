//! The rows of a file, whatever its form: CSV with a header row, or JSON Lines with one object per line.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use csv::{Reader, ReaderBuilder, StringRecord, Terminator, Trim};
use serde_json::Value;

use super::told::FIELDS;

/// What a row says, by the names of [`FIELDS`]; lists are joined by `|`.
pub type Cells = BTreeMap<&'static str, String>;

/// One row.
pub struct Row {
    /// Its line in the file, from 1.
    pub line: u64,
    /// Where in the file it ends, in octets.
    pub octets: u64,
    /// What it says, or why it cannot be read.
    pub cells: Result<Cells, String>,
}

/// An open file.
pub struct Rows {
    form: Form,
    /// What a row says that says nothing else.
    with: Cells,
}

enum Form {
    Csv { reader: Box<Reader<BufReader<File>>>, columns: Vec<&'static str> },
    Json { lines: BufReader<File>, line: u64, octets: u64 },
}

impl Rows {
    /// Opens a file; its name says what form it has.
    pub fn open(path: &Path, with: &[(String, String)]) -> Result<Self, String> {
        let mut defaults = Cells::new();
        for (name, value) in with {
            defaults.insert(known(name).map_err(|error| format!("--with {name}={value}: {error}"))?, value.clone());
        }
        let file = File::open(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let file = BufReader::new(file);
        let json =
            path.extension().is_some_and(|extension| ["jsonl", "ndjson", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known)));
        let form = if json { Form::Json { lines: file, line: 0, octets: 0 } } else { csv(path, file)? };
        Ok(Self { form, with: defaults })
    }

    /// The next row; a row that cannot be read is one too.
    pub fn next(&mut self) -> Result<Option<Row>, String> {
        let row = match &mut self.form {
            Form::Csv { reader, columns } => csv_row(reader, columns)?,
            Form::Json { lines, line, octets } => json_row(lines, line, octets)?,
        };
        Ok(row.map(|row| {
            let cells = row.cells.map(|mut cells| {
                for (name, value) in &self.with {
                    cells.entry(name).or_insert_with(|| value.clone());
                }
                cells
            });
            Row { cells, ..row }
        }))
    }
}

/// The field that a name means, in any spelling.
fn known(name: &str) -> Result<&'static str, String> {
    let squeeze = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect::<String>();
    let squeezed = squeeze(name);
    let field = FIELDS.iter().find(|field| squeeze(field) == squeezed).copied();
    field.ok_or_else(|| format!("{name:?} is not known; the names are {}", FIELDS.join(", ")))
}

fn csv(path: &Path, mut file: BufReader<File>) -> Result<Form, String> {
    let cannot = |error: &dyn std::fmt::Display| format!("cannot read {}: {error}", path.display());
    let start = file.fill_buf().map_err(|error| cannot(&error))?;
    let mark = if start.starts_with(&[0xEF, 0xBB, 0xBF]) { 3 } else { 0 };
    let header = start[mark..].split(|octet| *octet == b'\n').next().unwrap_or_default();
    let count = |divider: u8| header.iter().filter(|octet| **octet == divider).count();
    let delimiter = [b';', b'\t'].into_iter().find(|divider| count(*divider) > count(b',')).unwrap_or(b',');
    file.consume(mark);
    let mut builder = ReaderBuilder::new();
    builder.delimiter(delimiter).terminator(Terminator::Any(b'\n')).flexible(true).trim(Trim::All);
    let mut reader = builder.from_reader(file);
    let headers = reader.headers().map_err(|error| cannot(&error))?.clone();
    let mut columns = Vec::with_capacity(headers.len());
    for header in &headers {
        let column = known(header).map_err(|error| format!("{}: the column {error}", path.display()))?;
        if columns.contains(&column) {
            return Err(format!("{}: two columns mean {column}", path.display()));
        }
        columns.push(column);
    }
    Ok(Form::Csv { reader: Box::new(reader), columns })
}

fn csv_row(reader: &mut Reader<BufReader<File>>, columns: &[&'static str]) -> Result<Option<Row>, String> {
    let mut record = StringRecord::new();
    let read = reader.read_record(&mut record);
    let (line, octets) = (record.position().map_or_else(|| reader.position().line(), csv::Position::line), reader.position().byte());
    let cells = match read {
        Ok(false) => return Ok(None),
        Ok(true) if record.len() == columns.len() => {
            Ok(columns.iter().copied().zip(record.iter().map(str::to_owned)).filter(|(_, cell)| !cell.is_empty()).collect())
        }
        Ok(true) => Err(format!("has {} columns where the header has {}: check the quotes and the dividers", record.len(), columns.len())),
        // An error of the disk comes again and again.
        Err(error) if matches!(error.kind(), csv::ErrorKind::Io(_)) => return Err(format!("the file cannot be read on: {error}")),
        Err(error) => Err(error.to_string()),
    };
    Ok(Some(Row { line, octets, cells }))
}

fn json_row(lines: &mut BufReader<File>, line: &mut u64, octets: &mut u64) -> Result<Option<Row>, String> {
    loop {
        let mut text = Vec::new();
        let read = lines.read_until(b'\n', &mut text).map_err(|error| format!("the file cannot be read on: {error}"))?;
        if read == 0 {
            return Ok(None);
        }
        *line += 1;
        *octets += read as u64;
        if !text.iter().all(u8::is_ascii_whitespace) {
            return Ok(Some(Row { line: *line, octets: *octets, cells: object(&text) }));
        }
    }
}

fn object(text: &[u8]) -> Result<Cells, String> {
    let object: serde_json::Map<String, Value> = serde_json::from_slice(text).map_err(|error| format!("is no JSON object: {error}"))?;
    let mut cells = Cells::new();
    let mut problems = Vec::new();
    for (name, value) in object {
        match known(&name) {
            Ok(field) => match scalar(&value) {
                Some(text) if text.is_empty() => {}
                Some(text) => drop(cells.insert(field, text)),
                None => problems.push(format!("{name} must be a text, a number, true, false or a list of them")),
            },
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(cells) } else { Err(problems.join("; ")) }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => Some(list.iter().map(scalar).collect::<Option<Vec<_>>>()?.join("|")),
        Value::Object(_) => None,
    }
}

/// What the service found wrong, in the words of the file: its paths of fields mean nothing to who wrote it.
pub fn reason(field: &str, description: &str) -> String {
    let field = field.rsplit('.').next().unwrap_or(field);
    format!("{field}: {description}")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(name: &str, content: &str) -> Result<Vec<Result<Cells, String>>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        File::create(&path).and_then(|mut file| file.write_all(content.as_bytes())).expect("written");
        let mut rows = Rows::open(&path, &[("channel".to_owned(), "street".to_owned())])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(row.cells);
        }
        Ok(all)
    }

    #[test]
    fn csv_and_json_lines_say_the_same() {
        assert!(read("a.csv", "purpose,colour\nsale,red\n").expect_err("unknown").contains("colour"));
        let csv = read("a.csv", "\u{feff}Purpose;Tags\nsale;a|b\n;\nonly one\n").expect("a table");
        let json = read("a.jsonl", "{\"purpose\": \"sale\", \"tags\": [\"a\", \"b\"]}\n\n{\"purpose\": null}\nnonsense\n").expect("lines");
        assert_eq!(csv[..2], json[..2]);
        assert_eq!(csv[0].as_ref().expect("a row").get("channel").map(String::as_str), Some("street"));
        assert!(csv[2].is_err() && json[2].is_err());
    }
}
