//! The settings of this service: its section of `rapport.toml`.

mod wording;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
    time::Duration,
};

use axum::http::{HeaderName, header};
use data_encoding::HEXLOWER_PERMISSIVE;
use rand::{TryRngCore, rngs::OsRng};
use rapport_server::{PagesSection, StartError};
use rustls::{ClientConfig, RootCertStore, pki_types::pem::PemObject};
use serde::Deserialize;
use tokio_rustls::TlsConnector;

use crate::{
    domain::{
        Keys, SiteLimit, SiteLimits, Wordings,
        sender::{OUTBOX, parse_domain},
    },
    mail::{Folder, Limits, Security, Signer, Signers, Smtp, SmtpSettings, Transport},
};

/// The fewest octets of a key.
const MIN_KEY: usize = 32;

const MARK_KEY_MISSING: &str = "newsletter.mark_key is missing: with newsletter.token_key it must be set too, once and for ever, because \
    suppressed addresses are found by it; take the value that newsletter.token_key has now, or had first if it was changed";

/// `[newsletter]`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where it listens for gRPC.
    pub listen: SocketAddr,
    /// A database of its own; empty for the common one.
    pub database_url: String,
    /// The key of tokens and Message-IDs; empty for one of its own.
    pub token_key: String,
    /// The keys before it, the newest first, separated by commas.
    pub previous_token_key: String,
    /// The key of suppressed addresses; empty for one of its own.
    pub mark_key: String,
    /// How many letters are handed over at a time by each transport.
    pub letters_at_a_time: usize,
    /// How long a lease lasts.
    pub lease_seconds: u64,
    /// How long the dispatcher rests at most.
    pub dispatcher_rest_milliseconds: u64,
    /// How long the customer service may take to answer.
    pub customer_timeout_milliseconds: u64,
    /// The DNS server that is asked about senders; empty for the system's.
    pub dns_server: String,
    /// How long the audience of an issue may wait for the customer service.
    pub freeze_patience_seconds: u64,
    /// Whether it is kept from which network people act on the pages.
    pub keep_ip_addresses: KeepIpAddresses,
    /// The header in which a proxy says where people come from; empty for the address of the connection.
    pub ip_address_header: String,
    /// Where texts of the pages in other languages or words are.
    pub pages_texts: String,
    /// The public pages.
    pub pages: PagesSection,
    /// Where mail servers deliver what comes back.
    pub lmtp: LmtpSection,
    /// The limits of destination sites by name.
    pub site: BTreeMap<String, SiteSection>,
    /// The mail servers by name.
    pub transport: BTreeMap<String, TransportSection>,
    /// The keys that sign mails, by name.
    pub dkim: BTreeMap<String, DkimSection>,
}

/// `[newsletter.lmtp]`: where mail servers deliver what comes back.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LmtpSection {
    /// The address; empty for none.
    pub listen: String,
}

impl LmtpSection {
    /// Where it listens; none when it does not.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listen.parse().ok()
    }
}

/// The section of the sites that have none of their own.
const OTHER_SITES: &str = "other";

/// `[newsletter.site.NAME]`: the limits of one destination site.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteSection {
    /// How many letters are under way to it at a time, by one process through one transport.
    pub letters_at_a_time: usize,
    /// How many it gets a minute; 0 for no limit.
    pub letters_per_minute: i32,
}

/// `[newsletter.dkim.NAME]`: one key of a domain that mails come from.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DkimSection {
    /// The domain; empty for none.
    pub domain: String,
    /// Where its public key is in the domain's DNS.
    pub selector: String,
    /// The private key, in PEM.
    pub private_key: String,
}

/// `[newsletter.transport.NAME]`: one mail server.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransportSection {
    /// Its name; empty for none.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The protection.
    pub tls: TransportTls,
    /// Whom to trust besides the public web's authorities.
    pub ca_file: String,
    /// The login.
    pub username: String,
    /// Its password.
    pub password: String,
    /// How we name ourselves.
    pub hello: String,
    /// How many letters one connection takes.
    pub letters_per_session: u32,
    /// Where a copy of each letter is kept.
    pub copies: String,
    /// To connect.
    pub connect_seconds: u64,
    /// For the greeting.
    pub greeting_seconds: u64,
    /// For the reply to a command.
    pub command_seconds: u64,
    /// For the reply to DATA.
    pub data_seconds: u64,
    /// To write a block.
    pub block_seconds: u64,
    /// For the reply to the final dot.
    pub dot_seconds: u64,
}

/// Whether it is kept where people come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeepIpAddresses {
    /// Nothing of it.
    No,
    /// The network.
    Truncated,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransportTls {
    /// Not at all.
    #[serde(alias = "none")]
    Off,
    /// By STARTTLS, or nothing is sent.
    Starttls,
    /// From the first octet.
    #[serde(alias = "tls")]
    Implicit,
}

impl fmt::Debug for Settings {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("listen", &self.listen).finish_non_exhaustive()
    }
}

impl Settings {
    /// The settings, if they make sense.
    ///
    /// # Errors
    /// Everything that does not.
    pub fn checked(self) -> Result<Self, StartError> {
        let mut problems = Vec::new();
        let mut check = |met: bool, problem: String| {
            if !met {
                problems.push(problem);
            }
        };
        check((1..=1000).contains(&self.letters_at_a_time), "newsletter.letters_at_a_time must be from 1 to 1000".into());
        check(self.site.contains_key(OTHER_SITES), "newsletter.site.other is missing: it holds for every site without a section".into());
        for (name, section) in &self.site {
            let at = format!("newsletter.site.{name}");
            check(
                name == OTHER_SITES || parse_domain(name).is_ok(),
                format!("{at}: is no domain of mail addresses: write [newsletter.site.\"example.com\"]"),
            );
            check((1..=1000).contains(&section.letters_at_a_time), format!("{at}.letters_at_a_time must be from 1 to 1000"));
            check((0..=1_000_000).contains(&section.letters_per_minute), format!("{at}.letters_per_minute must be from 0 to 1000000"));
        }
        check((10..=3600).contains(&self.lease_seconds), "newsletter.lease_seconds must be from 10 to 3600".into());
        check(
            (10..=60_000).contains(&self.dispatcher_rest_milliseconds),
            "newsletter.dispatcher_rest_milliseconds must be from 10 to 60000".into(),
        );
        check(
            (1..=60_000).contains(&self.customer_timeout_milliseconds),
            "newsletter.customer_timeout_milliseconds must be from 1 to 60000".into(),
        );
        check(
            self.dns_server.is_empty() || self.dns_server.parse::<SocketAddr>().is_ok(),
            "newsletter.dns_server must be empty or an address with a port, such as 127.0.0.1:53".into(),
        );
        check(
            self.lmtp.listen.is_empty() || self.lmtp.address().is_some_and(|address| address.ip().is_loopback()),
            "newsletter.lmtp.listen must be empty or a loopback address such as 127.0.0.1:24024: LMTP knows no login".into(),
        );
        check(
            self.ip_header().is_ok(),
            "newsletter.ip_address_header must be empty or the name of a header such as x-real-ip that holds \
            nothing but addresses, so not forwarded"
                .into(),
        );
        for (name, section) in &self.transport {
            let at = format!("newsletter.transport.{name}");
            check(name != OUTBOX, format!("{at}: is the name of the mail folder, which is always there: take another one"));
            check((1..=1_000_000).contains(&section.letters_per_session), format!("{at}.letters_per_session must be from 1 to 1000000"));
            let loopback = section.host == "localhost" || section.host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
            let readable = !section.username.is_empty() && section.tls == TransportTls::Off && !loopback;
            check(!readable, format!("{at}: a password must not leave this machine without TLS: set tls to starttls or implicit"));
            let limits = [section.connect_seconds, section.greeting_seconds, section.command_seconds, section.data_seconds];
            let limits = limits.into_iter().chain([section.block_seconds, section.dot_seconds]);
            check(
                limits.into_iter().all(|limit| (1..=3600).contains(&limit)),
                format!("{at}: every time limit must be from 1 to 3600 seconds"),
            );
        }
        if problems.is_empty() { Ok(self) } else { Err(StartError::Other(problems.join("; "))) }
    }

    /// What destination sites are limited to.
    pub fn site_limits(&self) -> SiteLimits {
        let limit = |section: &SiteSection| SiteLimit { at_a_time: section.letters_at_a_time, per_minute: section.letters_per_minute };
        let named = self.site.iter().filter(|(name, _)| *name != OTHER_SITES).map(|(name, section)| (name.to_lowercase(), limit(section)));
        // That the section is there was checked.
        let other = self.site.get(OTHER_SITES).map_or(SiteLimit { at_a_time: 1, per_minute: 0 }, limit);
        SiteLimits { named: named.collect(), other }
    }

    /// The header in which a proxy says where people come from.
    ///
    /// # Errors
    /// When it is none that holds addresses.
    pub fn ip_header(&self) -> Result<Option<HeaderName>, StartError> {
        let wrong = || StartError::Other(format!("newsletter.ip_address_header {:?} is no header of addresses", self.ip_address_header));
        match self.ip_address_header.parse::<HeaderName>() {
            _ if self.ip_address_header.is_empty() => Ok(None),
            Ok(name) if name != header::FORWARDED => Ok(Some(name)),
            _ => Err(wrong()),
        }
    }

    /// How long a lease lasts.
    pub const fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_seconds)
    }

    /// The keys of tokens, Message-IDs and suppressed addresses: as set, or of the files in the data directory, which are made at the
    /// first start.
    ///
    /// # Errors
    /// When a key is too short or not hex, a file cannot be read or made, or only the key of tokens is set.
    pub fn keys(&self, data_directory: &Path) -> Result<Keys, StartError> {
        let own = |name: &str, fresh: Option<&[u8]>| {
            let file = data_directory.join(name);
            let text = own_key(&file, fresh).map_err(|error| StartError::Other(format!("the key {}: {error}", file.display())))?;
            decoded(&file.display().to_string(), text.trim())
        };
        let current =
            if self.token_key.is_empty() { own("newsletter.token-key", None)? } else { decoded("newsletter.token_key", &self.token_key)? };
        let previous = self.previous_token_key.split(',').map(str::trim).filter(|key| !key.is_empty());
        let previous: Vec<_> = previous.map(|key| decoded("newsletter.previous_token_key", key)).collect::<Result<_, _>>()?;
        let marks = match (self.mark_key.is_empty(), self.token_key.is_empty()) {
            (false, _) => decoded("newsletter.mark_key", &self.mark_key)?,
            // Addresses that were suppressed before there was this key are marked with that of tokens.
            (true, true) => own("newsletter.mark-key", Some(&current))?,
            (true, false) => return Err(StartError::Other(MARK_KEY_MISSING.to_owned())),
        };
        Ok(Keys::new(current, previous).marking_with(marks))
    }

    /// The words of the pages and of the confirmation mail.
    ///
    /// # Errors
    /// Everything that is wrong with the files, with its file and key.
    pub fn wordings(&self) -> Result<Wordings, StartError> {
        wording::wordings(&self.pages_texts)
    }

    /// The keys that sign mails.
    ///
    /// # Errors
    /// Every key that is missing or cannot sign, without the key.
    pub fn signers(&self) -> Result<Signers, StartError> {
        let mut problems = Vec::new();
        let mut signers = Vec::new();
        for (name, section) in self.dkim.iter().filter(|(_, section)| !section.domain.is_empty()) {
            let at = format!("newsletter.dkim.{name}");
            match section.signer() {
                Ok(signer) => signers.push(signer),
                Err(wrong) => problems.extend(wrong.into_iter().map(|wrong| format!("{at}.{wrong}"))),
            }
        }
        if problems.is_empty() { Ok(Signers::new(signers)) } else { Err(StartError::Other(problems.join("; "))) }
    }

    /// The ways for letters to leave, by name: the mail folder, and every mail server that has a host.
    ///
    /// # Errors
    /// When the folder cannot be made, or a file of authorities cannot be read.
    pub fn transports(&self, data_directory: &Path) -> Result<HashMap<String, Transport>, StartError> {
        let folder =
            |path: &Path| Folder::open(path).map_err(|error| StartError::Other(format!("the mail folder {}: {error}", path.display())));
        let mut transports = HashMap::from([(OUTBOX.to_owned(), Transport::Folder(Arc::new(folder(&data_directory.join(OUTBOX))?)))]);
        for (name, section) in self.transport.iter().filter(|(_, section)| !section.host.is_empty()) {
            let copies = if section.copies.is_empty() { None } else { Some(folder(Path::new(&section.copies))?) };
            let settings = section.smtp().map_err(|error| StartError::Tls(format!("newsletter.transport.{name}: {error}")))?;
            transports.insert(name.clone(), Transport::Smtp(Arc::new(Smtp::new(settings, copies))));
        }
        Ok(transports)
    }
}

impl DkimSection {
    fn signer(&self) -> Result<Signer, Vec<String>> {
        let mut problems = Vec::new();
        let domain = parse_domain(&self.domain).map_err(|problem| problems.push(format!("domain {problem}"))).ok();
        let labels = self.selector.split('.').all(|label| {
            !label.is_empty() && label.len() <= 63 && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        });
        if !labels {
            problems.push("selector must be the name before ._domainkey in DNS, of letters, digits and -".to_owned());
        }
        if self.private_key.trim().is_empty() {
            problems.push("private_key is missing: set it, or private_key_file".to_owned());
            return Err(problems);
        }
        let signer = Signer::new(domain.unwrap_or_default(), self.selector.clone(), &self.private_key);
        match signer {
            Ok(signer) if problems.is_empty() => Ok(signer),
            Ok(_) => Err(problems),
            Err(problem) => {
                problems.push(format!("private_key {problem}"));
                Err(problems)
            }
        }
    }
}

impl TransportSection {
    fn smtp(&self) -> Result<SmtpSettings, String> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if !self.ca_file.is_empty() {
            let read = |error: rustls::pki_types::pem::Error| format!("ca_file {}: {error}", self.ca_file);
            for certificate in rustls::pki_types::CertificateDer::pem_file_iter(&self.ca_file).map_err(read)? {
                roots.add(certificate.map_err(read)?).map_err(|error| format!("ca_file {}: {error}", self.ca_file))?;
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let seconds = Duration::from_secs;
        Ok(SmtpSettings {
            host: self.host.clone(),
            port: self.port,
            security: match self.tls {
                TransportTls::Off => Security::None,
                TransportTls::Starttls => Security::Starttls,
                TransportTls::Implicit => Security::Tls,
            },
            tls: TlsConnector::from(Arc::new(config)),
            username: self.username.clone(),
            password: self.password.clone(),
            hello: self.hello.clone(),
            letters_per_session: self.letters_per_session,
            limits: Limits {
                connect: seconds(self.connect_seconds),
                greeting: seconds(self.greeting_seconds),
                command: seconds(self.command_seconds),
                data: seconds(self.data_seconds),
                block: seconds(self.block_seconds),
                dot: seconds(self.dot_seconds),
            },
        })
    }
}

fn decoded(name: &str, hex: &str) -> Result<Vec<u8>, StartError> {
    let key = HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok().filter(|key| key.len() >= MIN_KEY);
    key.ok_or_else(|| {
        StartError::Other(format!("{name}: must be at least {} hex digits; make them with: openssl rand -hex 32", MIN_KEY * 2))
    })
}

/// The key in the file; if there is none, this one or a random one. Of several processes that begin at once, all get the same.
fn own_key(file: &Path, fresh: Option<&[u8]>) -> io::Result<String> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        read => return read,
    }
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut random = [0; MIN_KEY];
    OsRng.try_fill_bytes(&mut random).map_err(io::Error::other)?;
    let key = fresh.unwrap_or(&random);
    let own = file.with_extension(format!("new-{}", std::process::id()));
    let mut written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&own)?;
    writeln!(written, "{}", HEXLOWER_PERMISSIVE.encode(key))?;
    written.sync_all()?;
    // A link is made whole or not at all, and never over another process's key.
    let linked = fs::hard_link(&own, file);
    fs::remove_file(&own)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::read_to_string(file),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_site_has_a_section_under_its_own_name_or_that_of_all_others() {
        use rapport_server::settings::{Settings as All, Sources};
        let directory = tempfile::tempdir().expect("a directory");
        let load = |text: &str| {
            let file = directory.path().join("rapport.toml");
            fs::write(&file, text).expect("written");
            let all = All::load(Sources { file: Some(file), ..Sources::default() }).expect("settings");
            all.section::<Settings>("newsletter").expect("a section").checked()
        };
        let limits = load("[newsletter.site.\"Example.com\"]\nletters_per_minute = 30\n").expect("sound").site_limits();
        assert_eq!(
            (limits.of("example.com").per_minute, limits.of("example.com").at_a_time, limits.of("else.test").per_minute),
            (30, 8, 0)
        );
        let problem = load("[newsletter.site.\"a b\"]\nletters_at_a_time = 0\n").expect_err("wrong").to_string();
        assert!(problem.contains("newsletter.site.a b: is no domain") && problem.contains("letters_at_a_time must be from 1"), "{problem}");
    }

    #[test]
    fn an_own_key_is_made_once_and_nobody_else_can_read_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("data/newsletter.token-key");
        let first = own_key(&file, None).expect("a key");
        assert_eq!(first, own_key(&file, None).expect("a key"));
        assert!(decoded("it", first.trim()).is_ok());
        assert_eq!(file.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
        for wrong in ["", "abc", "zz", &"ab".repeat(31)] {
            assert!(decoded("it", wrong).is_err(), "{wrong}");
        }
    }
}
