//! TLS of our own, mutual when an authority of clients is named; and peers that say nothing.

use std::{fs, path::Path, time::Duration};

use rapport_proto::customer::v1::consent_service_client::ConsentServiceClient;
use rapport_server::{Host, Settings, StartError, world::world};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::{io::AsyncReadExt, net::TcpStream};
use tonic::Code;

use crate::fixture::{Fixture, Gate, no_migrations, question, roles, start};

/// Writes an authority, a certificate of it for loopback, and its key.
fn certificates(directory: &Path) -> [String; 3] {
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).expect("parameters").signed_by(&key, &authority).expect("signed");
    let write = |name: &str, text: String| {
        let path = directory.join(name);
        fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    [write("ca.pem", authority.pem()), write("certificate.pem", certificate.pem()), write("key.pem", key.serialize_pem())]
}

/// A peer of the fixture's service with these settings.
async fn ask(fixture: &Fixture, settings: &[(&str, &str)]) -> Result<(), tonic::Status> {
    let url = fixture.host.peer_url("customer");
    let settings: Vec<(&str, &str)> = settings.iter().copied().chain([("client.customer", url.as_str())]).collect();
    let caller = Host::new(Settings::with(&settings).expect("settings"), world());
    let mut consents = ConsentServiceClient::new(caller.peer("customer").expect("a peer"));
    consents.check_consent(question("")).await.map(drop)
}

#[tokio::test]
async fn with_mutual_tls_only_those_with_a_certificate_get_in() {
    let directory = tempfile::tempdir().expect("a directory");
    let [ca, certificate, key] = &certificates(directory.path());
    let server = [("server.tls", "own"), ("server.certificate_file", certificate), ("server.key_file", key), ("server.client_ca_file", ca)];
    let fixture = Fixture::start(&server).await;
    assert!(fixture.host.peer_url("customer").starts_with("https://"));
    ask(&fixture, &[("client.ca_file", ca), ("client.certificate_file", certificate), ("client.key_file", key)]).await.expect("let in");
    let bare = ask(&fixture, &[("client.ca_file", ca), ("client.timeout_milliseconds", "2000")]).await.expect_err("no certificate");
    assert!(matches!(bare.code(), Code::Unavailable | Code::DeadlineExceeded), "{bare:?}");
}

#[tokio::test]
async fn a_certificate_that_is_not_there_stops_the_start_and_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().display().to_string();
    let settings =
        [("data.directory", path.as_str()), ("server.tls", "own"), ("server.certificate_file", "/no/cert"), ("server.key_file", "/no/key")];
    let host = Host::new(Settings::with(&settings).expect("settings"), world());
    let database = host.database("customer", no_migrations(), "").await.expect("a database");
    let started = start(&host, &database, &Gate::default(), roles()).await;
    assert!(matches!(&started, Err(StartError::Tls(text)) if text.contains("/no/key")), "{started:?}");
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let fixture = Fixture::start(&[]).await;
    let mut silent = TcpStream::connect(fixture.running.as_ref().expect("running").grpc).await.expect("it listens");
    let mut nothing = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(15), silent.read_to_end(&mut nothing)).await;
    closed.expect("closed by the service").ok();
}
