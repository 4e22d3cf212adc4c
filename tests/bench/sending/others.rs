//! The programs of others: Postfix's `smtp-sink`, which takes the mails of every side, and those that send as we do.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use rapport_testkit::{Process, Program, eventually, process::free_ports};

use super::SESSIONS;

/// Postfix's `smtp-sink`, which takes every mail and forgets it.
pub struct Sink {
    pub port: u16,
    postfix: PathBuf,
    libraries: PathBuf,
    _process: Process,
}

impl Sink {
    /// Starts it; says when it is missing.
    pub async fn start() -> Option<Self> {
        let Some(program) = rapport_testkit::sink::program() else {
            println!("  not measured: smtp-sink is not here (run ./test once, or install Debian's postfix)\n");
            return None;
        };
        let libraries = rapport_testkit::sink::libraries(&program);
        let [port] = free_ports();
        let mut sink = Program::new(&program).env("LD_LIBRARY_PATH", &libraries);
        if rapport_testkit::sink::runs_as_root() {
            sink = sink.args(["-u", "nobody"]);
        }
        let process = sink.arg(format!("127.0.0.1:{port}")).arg("1000").start();
        eventually("smtp-sink listens", async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await;
        let postfix = program.parent().expect("a directory").to_owned();
        Some(Self { port, postfix, libraries, _process: process })
    }

    /// Mails a second of Postfix's own source.
    pub fn source(&self, mails: usize) -> f64 {
        let begin = Instant::now();
        let ran = Command::new(self.postfix.join("smtp-source"))
            .env("LD_LIBRARY_PATH", &self.libraries)
            .args(["-d", "-l", "10240", "-s", &SESSIONS.to_string(), "-m", &mails.to_string()])
            .args(["-f", "news@rapport.test", "-t", "reader@example.test"])
            .arg(format!("127.0.0.1:{}", self.port))
            .output()
            .expect("smtp-source runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        mails as f64 / begin.elapsed().as_secs_f64()
    }
}

/// nodemailer, fetched by npm, and the files of the mail that it sends.
pub struct Nodemailer {
    npm: tempfile::TempDir,
    html: PathBuf,
    text: PathBuf,
}

impl Nodemailer {
    /// Fetches it; says when that fails.
    pub fn fetch() -> Option<Self> {
        let npm = tempfile::tempdir().expect("a directory");
        let fetched =
            Command::new("npm").args(["install", "--silent", "--no-fund", "--no-audit", "nodemailer"]).current_dir(npm.path()).output();
        if !fetched.as_ref().is_ok_and(|output| output.status.success()) {
            println!("  not measured: npm could not fetch nodemailer: {fetched:?}\n");
            return None;
        }
        let (html, text) = (npm.path().join("mail.html"), npm.path().join("mail.txt"));
        std::fs::write(&html, super::html()).expect("written");
        std::fs::write(&text, super::text()).expect("written");
        Some(Self { npm, html, text })
    }

    /// Its mails a second, and microseconds of processor time for each.
    pub fn send(&self, sink: &Sink, mails: usize) -> (f64, f64) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/foreign/nodemailer.js");
        let numbers = [usize::from(sink.port), mails, SESSIONS].map(|number| number.to_string());
        let output =
            Command::new("node").arg(script).arg(self.npm.path()).args(numbers).args([&self.html, &self.text]).output().expect("node runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut numbers = text.split_whitespace().filter_map(|word| word.parse().ok());
        let measured = numbers.next().zip(numbers.next());
        measured.unwrap_or_else(|| panic!("nodemailer did not measure: {text}{}", String::from_utf8_lossy(&output.stderr)))
    }
}
