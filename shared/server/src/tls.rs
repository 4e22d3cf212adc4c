//! The TLS of the gRPC ports: rustls with ring.

use std::{path::Path, sync::Arc};

use rustls::{RootCertStore, ServerConfig, server::WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::TlsAcceptor;

use crate::{
    StartError,
    settings::{ServerSection, Tls},
};

/// The acceptor that the settings ask for; none when something else protects the port.
pub fn acceptor(settings: &ServerSection) -> Result<Option<TlsAcceptor>, StartError> {
    if settings.tls != Tls::Own {
        return Ok(None);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().map_err(wrong)?;
    let builder = if settings.client_ca_file.is_empty() {
        builder.with_no_client_auth()
    } else {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&settings.client_ca_file)? {
            roots.add(certificate).map_err(wrong)?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().map_err(wrong)?;
        builder.with_client_cert_verifier(verifier)
    };
    let key = PrivateKeyDer::from_pem_file(&settings.key_file).map_err(|error| unreadable(&settings.key_file, &error))?;
    let mut config = builder.with_single_cert(certificates(&settings.certificate_file)?, key).map_err(wrong)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

fn certificates(file: &str) -> Result<Vec<CertificateDer<'static>>, StartError> {
    let read = CertificateDer::pem_file_iter(Path::new(file)).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    read.map_err(|error| unreadable(file, &error))
}

fn unreadable(file: &str, error: &dyn std::fmt::Display) -> StartError {
    StartError::Tls(format!("cannot read {file}: {error}"))
}

fn wrong(error: impl std::fmt::Display) -> StartError {
    StartError::Tls(error.to_string())
}
