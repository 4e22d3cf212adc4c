//! Settings as text, without what must not be read over a shoulder.

use toml::{Table, Value};

const HIDDEN: &str = "(hidden)";

/// The tree as TOML, secrets hidden.
pub fn print(table: &Table) -> String {
    hide(table).to_string()
}

/// The tree with secrets hidden.
pub fn hide(table: &Table) -> Table {
    table.iter().map(|(key, value)| (key.clone(), hidden(key, value))).collect()
}

fn hidden(key: &str, value: &Value) -> Value {
    match value {
        Value::Table(table) => Value::Table(hide(table)),
        Value::Array(values) => Value::Array(values.iter().map(|value| hidden(key, value)).collect()),
        Value::String(text) if text.is_empty() => value.clone(),
        Value::String(_) if secret(key) => Value::String(HIDDEN.to_owned()),
        Value::String(text) if key.ends_with("url") => Value::String(without_password(text)),
        _ => value.clone(),
    }
}

/// Whether the value under this key is a secret: told by its last word.
fn secret(key: &str) -> bool {
    ["password", "secret", "key", "token", "sha256"].contains(&key.rsplit('_').next().unwrap_or(key))
}

fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.split_once('@') {
        Some((login, place)) if login.contains(':') && !login.contains('/') => {
            let user = login.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:{HIDDEN}@{place}")
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_their_files_are_not() {
        let table: Table = toml::from_str(
            "api_key = \"sesame\"\napi_key_file = \"/run/secrets/key\"\nurl = \"postgres://ada:sesame@db/x\"\n[[keys]]\nname = \"shop\"\nsha256 = [\"sesame\"]\n",
        )
        .expect("TOML");
        let printed = print(&table);
        assert!(!printed.contains("sesame"), "{printed}");
        assert!(
            printed.contains("/run/secrets/key") && printed.contains("postgres://ada:(hidden)@db/x") && printed.contains("shop"),
            "{printed}"
        );
    }

    #[test]
    fn an_empty_secret_is_shown_to_be_empty() {
        let table: Table = toml::from_str("password = \"\"").expect("TOML");
        assert_eq!(print(&table).trim(), "password = \"\"");
    }
}
