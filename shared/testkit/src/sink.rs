//! Postfix's `smtp-sink`, a mail server that others wrote: what it takes, a foreign server takes.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    eventually,
    process::{Process, Program, free_ports},
};

/// Names the program; the test command sets it when it found or fetched one.
pub const SINK_VARIABLE: &str = "RAPPORT_TEST_SMTP_SINK";

/// Where `./test` unpacks it as root.
const UNPACKED: &str = "/var/cache/rapport-test-tools/root/usr/sbin/smtp-sink";

/// A running `smtp-sink`; killed with this value.
#[derive(Debug)]
pub struct SmtpSink {
    address: SocketAddr,
    directory: TempDir,
    _process: Process,
}

impl SmtpSink {
    /// Starts one, or says on standard error why the test has to do without.
    pub async fn start() -> Option<Self> {
        let Some(program) = program() else {
            let mut error = std::io::stderr();
            drop(std::io::Write::write_all(&mut error, b"skipped: smtp-sink is not installed (Debian: postfix; ./test fetches it)\n"));
            return None;
        };
        let directory = TempDir::new().expect("a temporary directory can be made");
        let [port] = free_ports();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut sink = Program::new(&program).env("LD_LIBRARY_PATH", libraries(&program));
        if runs_as_root() {
            // As root it insists on another user, who then writes the mails.
            open_to_all(directory.path());
            sink = sink.args(["-u", "nobody"]);
        }
        let process = sink.arg("-d").arg(directory.path().join("mail-%Y%m%d%H%M%S.")).arg(address.to_string()).arg("100").start();
        eventually("smtp-sink listens", async || tokio::net::TcpStream::connect(address).await.is_ok()).await;
        Some(Self { address, directory, _process: process })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The mails it took until now, with the headers that it adds in front: `X-Mail-Args`, `X-Rcpt-Args` and others.
    pub fn mails(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).expect("the directory of the mails can be read");
        entries
            .flatten()
            .filter_map(|entry| fs::read(entry.path()).ok())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect()
    }
}

/// The program, if it is here.
pub fn program() -> Option<PathBuf> {
    let named = std::env::var_os(SINK_VARIABLE).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = std::env::split_paths(&path)
        .map(|directory| directory.join("smtp-sink"))
        .chain([PathBuf::from("/usr/sbin/smtp-sink"), PathBuf::from(UNPACKED)]);
    named.into_iter().chain(usual).find(|program| program.is_file())
}

/// Where its libraries are: what was unpacked and not installed finds its libraries beside it.
pub fn libraries(program: &Path) -> PathBuf {
    program.parent().and_then(Path::parent).map(|usr| usr.join("lib/postfix")).unwrap_or_default()
}

/// As root it insists on another user.
pub fn runs_as_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn open_to_all(directory: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o777)).expect("the owner can change it");
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_foreign_server_takes_a_mail() {
        let Some(sink) = SmtpSink::start().await else { return };
        let mut stream = tokio::net::TcpStream::connect(sink.address()).await.expect("it listens");
        let session =
            "HELO test\r\nMAIL FROM:<a@example.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\nSubject: hello\r\n\r\nyou\r\n.\r\nQUIT\r\n";
        stream.write_all(session.as_bytes()).await.expect("it reads");
        let mut replies = String::new();
        stream.read_to_string(&mut replies).await.expect("it answers");
        let mails = sink.mails();
        assert_eq!(mails.len(), 1, "{replies}");
        assert!(mails[0].contains("Subject: hello") && mails[0].contains("b@example.test"), "{}", mails[0]);
    }
}
