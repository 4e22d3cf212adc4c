//! Reading a mail that comes in by the API.

use rapport_core::Violations;
use rapport_proto::newsletter::v1 as pb;
use tonic::Status;

use super::read;
use crate::app::inbound::{IngestInboundMail, MAX_MAIL};

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
            let parsed = recipient.and_then(|recipient| IngestInboundMail::read(&request.raw, &recipient));
            if parsed.is_none() && violations.is_empty() {
                violations.add("raw", "is no mail: it must be in the form of RFC 5322, with its headers");
            }
            parsed
        }
    };
    read::finish(violations, parsed)
}
