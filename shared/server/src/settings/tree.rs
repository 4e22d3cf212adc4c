//! From the sources to one tree of values, each of the type that its default has.

use config::{Config, Environment, File, FileFormat};
use toml::{Table, Value};

use super::{DEFAULTS, SettingsProblems, Sources, read_file};

/// The compiled-in defaults.
pub fn defaults() -> Table {
    toml::from_str(DEFAULTS).expect("the compiled-in rapport.toml parses: a test sees to it")
}

/// The merged tree: the type of every value is that of its default; what has none is a problem.
pub fn merge(sources: &Sources, problems: &mut Vec<String>) -> Result<Table, SettingsProblems> {
    let fatal = |problem: String| SettingsProblems(vec![problem]);
    let variables = sources.variables.iter().cloned().collect();
    // With `_` as the separator, keys in snake_case would silently never match.
    let environment = Environment::with_prefix("RAPPORT").prefix_separator("__").separator("__").source(Some(variables));
    let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
    if let Some(file) = &sources.file {
        let mut unreadable = Vec::new();
        let text = read_file(file, &mut unreadable, "the settings file").ok_or(SettingsProblems(unreadable))?;
        builder = builder.add_source(File::from_str(&text, FileFormat::Toml));
    }
    builder = builder.add_source(environment);
    for (key, value) in &sources.overrides {
        builder = builder.set_override(key, value.as_str()).map_err(|error| fatal(format!("{key}: {error}")))?;
    }
    let name = sources.file.as_ref().map_or_else(|| "the settings".to_owned(), |file| file.display().to_string());
    let merged: Table = builder.build().and_then(Config::try_deserialize).map_err(|error| fatal(format!("{name}: {error}")))?;
    Ok(conform(merged, &defaults(), "", problems))
}

/// Turns each value into the type of its default and tells what cannot be turned or is not known.
fn conform(merged: Table, defaults: &Table, path: &str, problems: &mut Vec<String>) -> Table {
    let mut conformed = Table::new();
    for (key, value) in merged {
        let at = join(path, &key);
        let Some(default) = defaults.get(&key).or_else(|| pattern(path, defaults)) else {
            problems.push(unknown(&at, &key, defaults));
            continue;
        };
        let value = match (default, value) {
            (Value::Table(default), Value::Table(table)) => {
                let mut table = conform(table, default, &at, problems);
                // Of a section with a name of its own, what is not said is as in the pattern.
                for (key, value) in default {
                    table.entry(key.clone()).or_insert_with(|| value.clone());
                }
                Some(Value::Table(table))
            }
            (default, value) => typed(default, value),
        };
        match value {
            Some(value) => drop(conformed.insert(key, value)),
            None => {
                problems.push(format!("{at}: must be {}", kind(default)));
                // The default stands in, so that what else is wrong can be told too.
                conformed.insert(key, default.clone());
            }
        }
    }
    conformed
}

/// The pattern of further sections in a section that holds nothing but sections, as `newsletter.transport`: names are free there,
/// and each has the keys and defaults of the first.
fn pattern<'a>(path: &str, defaults: &'a Table) -> Option<&'a Value> {
    let open = !path.is_empty() && defaults.values().all(Value::is_table);
    if open { defaults.values().next() } else { None }
}

fn typed(default: &Value, value: Value) -> Option<Value> {
    match (default, value) {
        (Value::String(_), Value::String(text)) => Some(Value::String(text)),
        (Value::String(_), Value::Integer(number)) => Some(Value::String(number.to_string())),
        (Value::Integer(_), Value::Integer(number)) => Some(Value::Integer(number)),
        (Value::Integer(_), Value::String(text)) => text.trim().parse().ok().map(Value::Integer),
        (Value::Float(_), Value::Float(number)) => Some(Value::Float(number)),
        (Value::Float(_), Value::Integer(number)) => Some(Value::Float(number as f64)),
        (Value::Float(_), Value::String(text)) => text.trim().parse().ok().map(Value::Float),
        (Value::Boolean(_), Value::Boolean(flag)) => Some(Value::Boolean(flag)),
        (Value::Boolean(_), Value::String(text)) => text.trim().parse().ok().map(Value::Boolean),
        (Value::Array(_), Value::Array(values)) => Some(Value::Array(values)),
        (Value::Array(_), Value::String(text)) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
        }
        _ => None,
    }
}

const fn kind(default: &Value) -> &'static str {
    match default {
        Value::String(_) | Value::Datetime(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    }
}

fn unknown(at: &str, key: &str, defaults: &Table) -> String {
    let nearest = defaults.keys().map(|known| (distance(key, known), known)).min().filter(|(distance, _)| *distance <= 3);
    match nearest {
        Some((_, known)) => format!("{at}: there is no such setting; did you mean {known}?"),
        None => format!("{at}: there is no such setting; `rapport settings` prints all there are"),
    }
}

/// How many characters have to change to turn one word into the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.chars().enumerate() {
            let change = diagonal + usize::from(a != b);
            let least = change.min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], least);
        }
    }
    row.last().copied().unwrap_or(0)
}

/// Reads each `x_file` that has a text `x` beside it into `x`, and takes the `x_file` away.
pub fn read_secret_files(table: &mut Table, defaults: &Table, path: &str, problems: &mut Vec<String>) {
    let named: Vec<String> = table.iter().filter(|(_, value)| value.is_table()).map(|(key, _)| key.clone()).collect();
    for key in named {
        let default = defaults.get(&key).or_else(|| pattern(path, defaults));
        if let (Some(Value::Table(default)), Some(Value::Table(inner))) = (default, table.get_mut(&key)) {
            read_secret_files(inner, default, &join(path, &key), problems);
        }
    }
    for (key, default) in defaults {
        if default.is_table() {
            continue;
        }
        let Some(base) = key.strip_suffix("_file").filter(|base| matches!(defaults.get(*base), Some(Value::String(_)))) else { continue };
        let Some(Value::String(file)) = table.remove(key) else { continue };
        if file.is_empty() {
            continue;
        }
        let at = join(path, key);
        if table.get(base).and_then(Value::as_str).is_some_and(|given| !given.is_empty()) {
            problems.push(format!("{at}: {base} is set too; set one of the two"));
        } else if let Some(text) = read_file(file.as_ref(), problems, &at) {
            table.insert(base.to_owned(), Value::String(text.trim_end_matches(['\r', '\n']).to_owned()));
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
