//! Messages as protobuf JSON, for files that people write and read: an unknown field or a wrong value is refused with its place.

use std::sync::OnceLock;

use prost::Message;
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, SerializeOptions};
use serde_json::{Map, Value};

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

/// What is wrong in a text: the place, such as `sections[3].element`, and the problem in words.
pub type Wrong = (String, String);

/// Reads as much of a message as there is, with everything that is no part of it: unknown fields and wrong values, each with its place.
///
/// # Errors
/// When the text is no JSON.
pub fn read_all<M: Message + Default>(name: &str, text: &str) -> Result<(M, Vec<Wrong>), NotTheMessage> {
    let problem = |error: &dyn std::fmt::Display| NotTheMessage(error.to_string());
    let mut value: Value = serde_json::from_str(text).map_err(|error| problem(&error))?;
    let descriptor = descriptor(name)?;
    let mut wrong = Vec::new();
    prune(&descriptor, &mut value, "", &mut wrong);
    if wrong.is_empty() {
        return Ok((read(name, text)?, wrong));
    }
    let message = DynamicMessage::deserialize(descriptor, value).map_err(|error| problem(&error))?;
    Ok((message.transcode_to().map_err(|error| problem(&error))?, wrong))
}

/// Takes out of a value what is no part of the message.
fn prune(of: &MessageDescriptor, value: &mut Value, at: &str, wrong: &mut Vec<Wrong>) {
    let Value::Object(fields) = value else {
        wrong.push((at.to_owned(), format!("must be an object of {}, in braces", of.name())));
        *value = Value::Object(Map::new());
        return;
    };
    let whole = std::mem::take(fields);
    for (name, mut value) in whole {
        let place = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        let Some(field) = of.get_field_by_name(&name).or_else(|| of.get_field_by_json_name(&name)) else {
            let known: Vec<String> = of.fields().map(|field| field.name().to_owned()).collect();
            wrong.push((place, format!("is no field of {}, which has {}", of.name(), known.join(", "))));
            continue;
        };
        let kept = match &mut value {
            Value::Array(items) if field.is_list() => {
                let mut index = 0..;
                items.retain_mut(|item| fits(&field, item, &format!("{place}[{}]", index.next().unwrap_or(0)), wrong));
                true
            }
            value => fits(&field, value, &place, wrong),
        };
        if kept {
            fields.insert(name, value);
        }
    }
}

/// Whether a value, or one of a list, may stand in this field; a message is pruned and stays.
fn fits(field: &FieldDescriptor, value: &mut Value, place: &str, wrong: &mut Vec<Wrong>) -> bool {
    match field.kind() {
        Kind::Message(inner) if !field.is_map() && !inner.full_name().starts_with("google.protobuf.") => {
            prune(&inner, value, place, wrong);
            return true;
        }
        _ => {}
    }
    let alone = if field.is_list() && place.ends_with(']') { Value::Array(vec![value.clone()]) } else { value.clone() };
    let alone = Value::Object(Map::from_iter([(field.name().to_owned(), alone)]));
    let Err(error) = DynamicMessage::deserialize(field.parent_message().clone(), alone) else { return true };
    let problem = match field.kind() {
        Kind::Enum(of) => {
            let known: Vec<String> = of.values().filter(|known| known.number() != 0).map(|known| known.name().to_owned()).collect();
            format!("is {value}: use one of {}", known.join(", "))
        }
        _ => format!("is {value}: {error}"),
    };
    wrong.push((place.to_owned(), problem));
    false
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
