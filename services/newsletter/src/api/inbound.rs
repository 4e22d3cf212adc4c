//! Reading a mail that comes in by the API.

use data_encoding::HEXLOWER;
use rapport_core::Violations;
use rapport_proto::newsletter::v1 as pb;
use sha2::{Digest, Sha256};
use tonic::Status;

use super::{MAX_MAIL, read};
use crate::{app::inbound::IngestInboundMail, domain::parsed_mail};

/// The mail of a request. The same octets for the same recipient are the same mail.
pub fn mail(request: &pb::IngestInboundMailRequest) -> Result<IngestInboundMail, Status> {
    let mut violations = Violations::new();
    let recipient = violations.text("envelope_recipient", &request.envelope_recipient, 320);
    if recipient.as_deref().is_some_and(|recipient| !recipient.contains('@')) {
        violations.add("envelope_recipient", "must be the address that the mail was delivered to");
    }
    let parsed = match request.raw.len() {
        0 => {
            violations.add("raw", "is required");
            None
        }
        length if length > MAX_MAIL => {
            violations.add("raw", format!("has {length} octets; at most {MAX_MAIL} are allowed"));
            None
        }
        _ => {
            let parsed = parsed_mail::parse(&request.raw);
            if parsed.is_none() {
                violations.add("raw", "is no mail: it must be in the form of RFC 5322, with its headers");
            }
            parsed
        }
    };
    let command = recipient.zip(parsed).map(|(recipient, mail)| {
        let mut hasher = Sha256::new();
        hasher.update(recipient.to_lowercase().as_bytes());
        hasher.update([0]);
        hasher.update(&request.raw);
        IngestInboundMail { fingerprint: HEXLOWER.encode(&hasher.finalize()), recipient, mail }
    });
    read::finish(violations, command)
}
