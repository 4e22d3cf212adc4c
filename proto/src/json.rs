//! Messages as protobuf JSON, for files that people write and read: an unknown field or a wrong value is refused with its place.

use std::sync::OnceLock;

use prost::Message;
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};

/// Why a text is not the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTheMessage(String);

impl std::fmt::Display for NotTheMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for NotTheMessage {}

/// Reads a message by its full name, for example `rapport.interaction.v1.ManualVersion`.
///
/// # Errors
/// When the text is no JSON, or not of this message.
pub fn read<M: Message + Default>(name: &str, text: &str) -> Result<M, NotTheMessage> {
    let problem = |error: &dyn std::fmt::Display| NotTheMessage(error.to_string());
    let mut json = serde_json::Deserializer::from_str(text);
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let message = DynamicMessage::deserialize_with_options(descriptor(name)?, &mut json, &options).map_err(|error| problem(&error))?;
    json.end().map_err(|error| problem(&error))?;
    message.transcode_to().map_err(|error| problem(&error))
}

/// Writes a message by its full name, for people: in lines, with the names of the proto, without what is at its default.
///
/// # Errors
/// When there is no message of this name.
pub fn write(name: &str, message: &impl Message) -> Result<String, NotTheMessage> {
    let problem = |error: &dyn std::fmt::Display| NotTheMessage(error.to_string());
    let mut dynamic = DynamicMessage::new(descriptor(name)?);
    dynamic.transcode_from(message).map_err(|error| problem(&error))?;
    let mut text = Vec::new();
    let mut json = serde_json::Serializer::pretty(&mut text);
    let options = SerializeOptions::new().use_proto_field_name(true);
    dynamic.serialize_with_options(&mut json, &options).map_err(|error| problem(&error))?;
    String::from_utf8(text).map_err(|error| problem(&error))
}

fn descriptor(name: &str) -> Result<MessageDescriptor, NotTheMessage> {
    static POOL: OnceLock<Option<DescriptorPool>> = OnceLock::new();
    let pool = POOL.get_or_init(|| DescriptorPool::decode(crate::FILE_DESCRIPTOR_SET).ok());
    pool.as_ref().and_then(|pool| pool.get_message_by_name(name)).ok_or_else(|| NotTheMessage(format!("there is no message {name}")))
}
