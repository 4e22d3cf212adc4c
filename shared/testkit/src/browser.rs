//! Chromium without a window: what a page looks like, and what the browser has to say about it.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::process::Program;

/// How it is started: without a window, and without connections of its own. The sandbox needs rights that root in a container does not
/// have; the pages are our own.
const COMMON: [&str; 13] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-default-apps",
    "--disable-extensions",
    // No name but this machine's is looked up.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

/// Names the program; the test command sets it when it found or fetched one.
pub const BROWSER_VARIABLE: &str = "RAPPORT_TEST_CHROMIUM";

/// What it is called where it is installed, and where `./test` unpacks it as root.
const PLACES: [&str; 4] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/var/cache/rapport-test-tools/root/usr/lib/chromium/chromium",
];

/// A browser with a profile of its own.
#[derive(Debug)]
pub struct Browser {
    program: PathBuf,
    profile: TempDir,
}

impl Browser {
    /// One that is there; else it says on standard error why the test has to do without.
    pub fn find() -> Option<Self> {
        let named = std::env::var_os(BROWSER_VARIABLE).map(PathBuf::from);
        let found = named.into_iter().chain(PLACES.map(PathBuf::from)).find(|path| path.exists());
        if found.is_none() {
            let mut error = std::io::stderr();
            drop(error.write_all(b"skipped: chromium is not installed (Debian: chromium; ./test fetches it)\n"));
        }
        Some(Self { program: found?, profile: TempDir::new().expect("a temporary directory can be made") })
    }

    /// Takes a picture (PNG) of a page in a window of this size.
    ///
    /// # Panics
    /// When the browser fails; the message shows what it said.
    pub async fn screenshot(&self, url: &str, (width, height): (u32, u32), dark: bool, file: &Path) -> Vec<u8> {
        drop(std::fs::remove_file(file));
        let scheme = format!("--blink-settings=preferredColorScheme={}", i32::from(!dark));
        let window = format!("--window-size={width},{height}");
        let (_, log) = self.run(&[&scheme, &window, &format!("--screenshot={}", file.display()), url]).await;
        std::fs::read(file).unwrap_or_else(|error| panic!("{} took no picture of {url}: {error}\n{log}", self.program.display()))
    }

    /// The elements of a page after it was loaded, and everything that the browser said meanwhile.
    ///
    /// # Panics
    /// When the browser fails; the message shows what it said.
    pub async fn load(&self, url: &str) -> (String, String) {
        self.run(&["--enable-logging=stderr", "--window-size=1280,1000", "--dump-dom", url]).await
    }

    async fn run(&self, arguments: &[&str]) -> (String, String) {
        let profile = format!("--user-data-dir={}", self.profile.path().display());
        let libraries = std::env::var("RAPPORT_TEST_LIBRARIES").unwrap_or_default();
        let program = Program::new(&self.program).env("LD_LIBRARY_PATH", if self.unpacked() { libraries } else { String::new() });
        let (out, log, code) = program.args(COMMON).arg(profile).args(arguments).run().await;
        assert_eq!(code, Some(0), "{}: {log}", self.program.display());
        (out, log)
    }

    fn unpacked(&self) -> bool {
        self.program.components().any(|part| part.as_os_str() == "root")
    }
}
