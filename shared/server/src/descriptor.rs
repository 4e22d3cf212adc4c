//! What the protos say about the RPCs of a service.

use prost::Message;
use prost_types::FileDescriptorSet;

/// One RPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rpc {
    /// Its name as `rapport.customer.v1.CustomerService/GetCustomer`.
    pub name: String,
    /// Whether either side streams.
    pub streaming: bool,
    /// Whether only the service streams: such a stream is watched, and may be watched again.
    pub watched: bool,
}

/// The descriptors of all services.
pub fn all() -> FileDescriptorSet {
    FileDescriptorSet::decode(rapport_proto::FILE_DESCRIPTOR_SET).expect("the build wrote the descriptors that it compiled")
}

/// Every RPC of the packages `rapport.<service>.v…`.
pub fn rpcs(descriptor: &FileDescriptorSet, service: &str) -> Vec<Rpc> {
    let prefix = format!("rapport.{service}.");
    let mut rpcs = Vec::new();
    for file in descriptor.file.iter().filter(|file| file.package().starts_with(&prefix)) {
        for declared in &file.service {
            rpcs.extend(declared.method.iter().map(|method| Rpc {
                name: format!("{}.{}/{}", file.package(), declared.name(), method.name()),
                streaming: method.client_streaming() || method.server_streaming(),
                watched: method.server_streaming() && !method.client_streaming(),
            }));
        }
    }
    rpcs
}

/// The names of the gRPC services of a service.
pub fn grpc_services(descriptor: &FileDescriptorSet, service: &str) -> Vec<String> {
    let mut names: Vec<String> =
        rpcs(descriptor, service).into_iter().filter_map(|rpc| Some(rpc.name.split_once('/')?.0.to_owned())).collect();
    names.dedup();
    names
}
