//! The settings: compiled-in defaults, then a file, then the environment; every problem told at once, secrets hidden.

mod check;
mod print;
mod sections;
mod tree;

use std::{
    env,
    ffi::OsString,
    fmt, fs,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

pub use sections::{
    AuthSection, ClientSection, DataSection, DatabaseSection, KeySection, PagesSection, Peers, ServerSection, TelemetrySection, Tls,
};

/// Every setting with its default and its meaning.
pub const DEFAULTS: &str = include_str!("../../../rapport.toml");

/// The sections that belong to one service each.
pub const SERVICES: [&str; 4] = ["customer", "interaction", "feedback", "newsletter"];

/// Where settings come from besides the compiled-in defaults.
#[derive(Clone, Default)]
pub struct Sources {
    /// A file; it must be there.
    pub file: Option<PathBuf>,
    /// Single settings by their path, as `customer.listen`, stronger than all else: from the command line or a test.
    pub overrides: Vec<(String, String)>,
    /// Variables, each as name and value; only those that begin with `RAPPORT__` are read.
    pub variables: Vec<(String, String)>,
}

impl fmt::Debug for Sources {
    /// Without the values, which may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Sources {
    /// The process's own: `file`, or `RAPPORT_CONFIG`, or `./rapport.toml` if it is there; and its environment.
    pub fn of_process(file: Option<PathBuf>) -> Self {
        let named = file.or_else(|| env::var_os("RAPPORT_CONFIG").filter(|name| !name.is_empty()).map(PathBuf::from));
        let beside = Path::new("rapport.toml");
        let file = named.or_else(|| beside.is_file().then(|| beside.to_owned()));
        let text = |os: OsString| os.into_string().ok();
        let variables = env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect();
        Self { file, overrides: Vec::new(), variables }
    }

    /// The same with one setting more, stronger than all others.
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.overrides.push((key.into(), value.into()));
        self
    }
}

/// The settings in force, each checked.
#[derive(Clone)]
pub struct Settings {
    /// `[data]`.
    pub data: DataSection,
    /// `[database]`.
    pub database: DatabaseSection,
    /// `[server]`.
    pub server: ServerSection,
    /// `[auth]`.
    pub auth: AuthSection,
    /// `[telemetry]`.
    pub telemetry: TelemetrySection,
    /// `[client]`.
    pub client: ClientSection,
    /// Where they came from, to read them again.
    pub sources: Sources,
    printable: toml::Table,
    resolved: toml::Table,
}

impl Settings {
    /// Reads the settings and checks them.
    ///
    /// # Errors
    /// Every problem there is, all at once.
    pub fn load(sources: Sources) -> Result<Self, SettingsProblems> {
        let mut problems = Vec::new();
        let tree = tree::merge(&sources, &mut problems)?;
        let mut resolved = tree.clone();
        tree::read_secret_files(&mut resolved, &tree::defaults(), "", &mut problems);
        let settings = (|| {
            let data = sections::read(&resolved, "data", &mut problems);
            let database = sections::read(&resolved, "database", &mut problems);
            let server = sections::read(&resolved, "server", &mut problems);
            let auth: Option<AuthSection> = sections::read(&resolved, "auth", &mut problems);
            let telemetry = sections::read(&resolved, "telemetry", &mut problems);
            let client = sections::read(&resolved, "client", &mut problems);
            let auth = auth.and_then(|auth| auth.with_keys_file(&mut problems));
            Some(Self {
                data: data?,
                database: database?,
                server: server?,
                auth: auth?,
                telemetry: telemetry?,
                client: client?,
                sources,
                printable: tree,
                resolved,
            })
        })();
        if let Some(settings) = &settings {
            check::check(settings, &mut problems);
        }
        match settings {
            Some(settings) if problems.is_empty() => Ok(settings),
            _ => Err(SettingsProblems(problems)),
        }
    }

    /// The defaults alone, with these settings over them: for tests.
    ///
    /// # Errors
    /// Every problem there is, all at once.
    pub fn with(overrides: &[(&str, &str)]) -> Result<Self, SettingsProblems> {
        let overrides = overrides.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Self::load(Sources { file: None, overrides, variables: Vec::new() })
    }

    /// One service's section as its own type, which refuses unknown keys itself (`#[serde(deny_unknown_fields)]`).
    /// Its `…_file` twins of secrets are read already and not part of it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn section<T: DeserializeOwned>(&self, name: &str) -> Result<T, SettingsProblems> {
        let mut problems = Vec::new();
        sections::read(&self.resolved, name, &mut problems).ok_or(SettingsProblems(problems))
    }

    /// One value by its path, as `customer.listen`, as text.
    pub fn text(&self, path: &str) -> Option<String> {
        let (section, key) = path.rsplit_once('.')?;
        let table = section.split('.').try_fold(&self.resolved, |table, name| table.get(name)?.as_table())?;
        match table.get(key)? {
            toml::Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// The settings in force as TOML, secrets hidden.
    pub fn printed(&self) -> String {
        print::print(&self.printable)
    }

    /// The same as a tree, secrets hidden.
    pub fn printed_tree(&self) -> toml::Table {
        print::hide(&self.printable)
    }
}

impl fmt::Debug for Settings {
    /// As printed, secrets hidden.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Settings").field(&self.printed_tree()).finish()
    }
}

/// Everything that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsProblems(pub Vec<String>);

impl fmt::Display for SettingsProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "the settings have {count} problem{}:", if count == 1 { "" } else { "s" })?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}

impl std::error::Error for SettingsProblems {}

fn read_file(path: &Path, problems: &mut Vec<String>, of: &str) -> Option<String> {
    match fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) => {
            problems.push(format!("{of}: cannot read {}: {error}", path.display()));
            None
        }
    }
}
