//! What the protos say of a method: whether it streams, and where its request carries the request id.

use std::{collections::HashMap, sync::LazyLock};

use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorSet};

/// What is known of a method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Method {
    /// The request is one message, so that it can be kept and sent again.
    pub(crate) request_is_one: bool,
    /// The answer is one message, so that it has an end to wait for.
    pub(crate) answer_is_one: bool,
    /// It only reads, whatever the request says.
    pub(crate) reads: bool,
    /// The number of the request's field `request_id`.
    request_id: Option<u32>,
}

/// The first words of the names of methods that only read.
const READING: [&str; 7] = ["Get", "List", "Check", "Watch", "Search", "Count", "Preview"];

static METHODS: LazyLock<HashMap<String, Method>> = LazyLock::new(|| {
    let set = FileDescriptorSet::decode(rapport_proto::FILE_DESCRIPTOR_SET).unwrap_or_default();
    let mut messages = HashMap::new();
    for file in &set.file {
        for message in &file.message_type {
            messages.insert(format!(".{}.{}", file.package(), message.name()), message);
        }
    }
    let mut methods = HashMap::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                let known = Method {
                    request_is_one: !method.client_streaming(),
                    answer_is_one: !method.server_streaming(),
                    reads: reads(method.name()),
                    request_id: messages.get(method.input_type()).and_then(|message| request_id_field(message)),
                };
                methods.insert(format!("/{}.{}/{}", file.package(), service.name(), method.name()), known);
            }
        }
    }
    methods
});

fn request_id_field(message: &DescriptorProto) -> Option<u32> {
    message.field.iter().find(|field| field.name() == "request_id").and_then(|field| u32::try_from(field.number()).ok())
}

fn reads(name: &str) -> bool {
    READING.iter().any(|word| name.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_lowercase())))
}

impl Method {
    /// What is known of the method at this path. Of a method that is not ours (health, reflection) only the name tells.
    pub(crate) fn at(path: &str) -> Self {
        METHODS.get(path).copied().unwrap_or_else(|| {
            let name = path.rsplit('/').next().unwrap_or("");
            let reads = reads(name);
            Self { request_is_one: reads, answer_is_one: reads && !name.starts_with("Watch"), reads, request_id: None }
        })
    }

    /// Whether sending it again could be worth it, so that the request has to be kept.
    pub(crate) fn may_repeat(&self) -> bool {
        self.request_is_one && (self.reads || self.request_id.is_some())
    }

    /// Whether this request, as it goes over the wire, may be sent twice without being done twice.
    pub(crate) fn repeats_safely(&self, framed: &[u8]) -> bool {
        // The frame: one byte that says whether the message is compressed, four of length, the message.
        let message = match framed.split_first() {
            Some((0, rest)) => rest.get(4..),
            _ => None,
        };
        self.reads || self.request_id.is_some_and(|field| message.is_some_and(|message| has_text(message, field)))
    }
}

/// Whether the message has a field of this number with at least one byte in it.
fn has_text(mut message: &[u8], field: u32) -> bool {
    while let Some(key) = varint(&mut message) {
        let Ok(number) = u32::try_from(key >> 3) else { return false };
        let length = match key & 7 {
            0 => varint(&mut message).map(|_| 0),
            1 => Some(8),
            2 => varint(&mut message),
            5 => Some(4),
            _ => None,
        };
        let Some(length) = length.and_then(|length| usize::try_from(length).ok()) else { return false };
        if number == field && key & 7 == 2 && length > 0 {
            return message.len() >= length;
        }
        let Some(rest) = message.get(length..) else { return false };
        message = rest;
    }
    false
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use rapport_proto::customer::v1 as pb;

    use super::*;

    fn framed(message: &impl prost::Message) -> Vec<u8> {
        let mut bytes = vec![0, 0, 0, 0, 0];
        message.encode(&mut bytes).expect("a vector grows");
        bytes
    }

    #[test]
    fn a_mutation_repeats_safely_only_with_a_request_id() {
        let create = Method::at("/rapport.customer.v1.CustomerService/CreateCustomer");
        let mut request = pb::CreateCustomerRequest { customer_id: "0199".into(), ..Default::default() };
        assert!(create.may_repeat());
        assert!(!create.repeats_safely(&framed(&request)));
        request.request_id = "r1".into();
        assert!(create.repeats_safely(&framed(&request)));
    }

    #[test]
    fn reading_repeats_safely_and_a_stream_of_requests_never() {
        let get = Method::at("/rapport.customer.v1.CustomerService/GetCustomer");
        assert!(get.may_repeat() && get.repeats_safely(&[]));
        let import = Method::at("/rapport.customer.v1.CustomerService/ImportCustomers");
        assert!(!import.may_repeat() && !import.request_is_one && !import.answer_is_one);
        let watch = Method::at("/rapport.customer.v1.CustomerFeedService/WatchEvents");
        assert!(watch.reads && !watch.answer_is_one);
    }

    #[test]
    fn of_strangers_the_name_tells() {
        assert!(Method::at("/grpc.health.v1.Health/Check").may_repeat());
        assert!(!Method::at("/grpc.health.v1.Health/Watch").answer_is_one);
        assert!(!Method::at("/other.v1.Shop/Getaway").reads);
    }

    #[test]
    fn a_broken_message_has_no_request_id() {
        for broken in [&[0x0a][..], &[0x0a, 0x05, 0x61], &[0xff; 11], &[0x0b]] {
            assert!(!has_text(broken, 1));
        }
    }
}
