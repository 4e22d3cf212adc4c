//! Mutual TLS with an authority of our own.

use rapport_client::{ConnectError, PeerSettings, Secret, Tls, connect};
use rapport_proto::customer::v1::{self as pb, customer_service_client::CustomerServiceClient};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tonic::{
    Code,
    transport::{Certificate, Identity, server::ServerTlsConfig},
};

use crate::{
    apart::anywhere,
    scripted::{Reply, Scripted},
};

/// An authority, and what it signs.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate"))
    }

    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        (params.signed_by(&key, &self.0).expect("a certificate").pem(), key.serialize_pem())
    }

    async fn server(&self) -> Scripted {
        let (certificate, key) = self.sign("rapport.test");
        let tls = ServerTlsConfig::new().identity(Identity::from_pem(certificate, key)).client_ca_root(Certificate::from_pem(self.0.pem()));
        Scripted::start_at(anywhere(), Some(tls), |_, _| Reply::message(&pb::GetCustomerResponse::default())).await
    }

    async fn call(server: &Scripted, tls: Tls) -> Result<(), tonic::Status> {
        let peer = connect(&format!("https://{}", server.address()), &PeerSettings { tls, ..PeerSettings::default() });
        let mut client = CustomerServiceClient::new(peer.expect("certificates"));
        client.get_customer(pb::GetCustomerRequest::default()).await.map(drop)
    }
}

#[tokio::test]
async fn two_who_trust_one_authority_talk_and_a_stranger_does_not() {
    let ours = Authority::new();
    let server = ours.server().await;
    let (certificate, key) = ours.sign("interaction");
    let tls = Tls {
        authorities: Some(ours.0.pem()),
        identity: Some((certificate, Secret::new(key))),
        server_name: Some("rapport.test".to_owned()),
    };
    Authority::call(&server, tls.clone()).await.expect("both are known");

    let nameless = Authority::call(&server, Tls { identity: None, ..tls.clone() }).await.expect_err("we show no certificate");
    assert_eq!(nameless.code(), Code::Unavailable);
    let foreign = Tls { authorities: Some(Authority::new().0.pem()), ..tls };
    let untrusted = Authority::call(&server, foreign).await.expect_err("we do not know its authority");
    assert!(untrusted.message().contains("certificate"), "{untrusted}");
}

#[tokio::test]
async fn certificates_that_are_none_are_refused_at_once() {
    let tls = Tls { identity: Some(("no certificate".to_owned(), Secret::new("no key"))), ..Tls::default() };
    let error = connect("https://localhost:1", &PeerSettings { tls, ..PeerSettings::default() }).expect_err("no certificate");
    assert!(matches!(error, ConnectError::Tls { .. }), "{error}");
}
