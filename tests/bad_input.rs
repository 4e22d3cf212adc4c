//! A request in which everything is wrong: every RPC names all of it at once, as `violations.txt` has it.

use std::{collections::BTreeMap, env, fmt::Write as _, fs};

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, MethodDescriptor, Value};
use rapport_testkit::Backend;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::{descriptor, dynamic, running, source};

const FILE: &str = "tests/violations.txt";

/// A number that no enum has.
const NO_VALUE: i32 = 9_999;

#[test]
fn every_rpc_names_everything_that_is_wrong_at_once() {
    let told = rapport_testkit::run(tell_all());
    let mut problems = Vec::new();
    let mut text = String::from("# What each RPC finds wrong with a request in which everything is wrong, told at once.\n");
    text.push_str("# Written by `RAPPORT_BLESS=1 cargo test --test tests bad_input`; read every change of it.\n");
    for (method, told) in &told {
        match told {
            Err(other) => problems.push(format!("{method}: must refuse it with INVALID_ARGUMENT, but answers {other}")),
            Ok(fields) => write!(text, "\n{method}\n{}", fields.iter().map(|field| format!("  {field}\n")).collect::<String>())
                .expect("a string takes it"),
        }
    }
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
    if env::var_os("RAPPORT_BLESS").is_some() {
        fs::write(source::root().join(FILE), &text).expect("the file can be written");
        return;
    }
    let reviewed = fs::read_to_string(source::root().join(FILE)).unwrap_or_default();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (old, new) = (lines(&reviewed), lines(&text));
    let gone: Vec<&String> = old.iter().filter(|line| !new.contains(line)).collect();
    let came: Vec<&String> = new.iter().filter(|line| !old.contains(line)).collect();
    assert!(
        text == reviewed,
        "\nOther violations are told than {FILE} has.\nNot told any more: {gone:#?}\nNew: {came:#?}\n\n\
         If that is meant, write it down with `RAPPORT_BLESS=1 cargo test --test tests bad_input`.\n"
    );
}

/// For every RPC the fields it complains about, or what it answered instead.
async fn tell_all() -> BTreeMap<String, Result<Vec<String>, String>> {
    let suite = running::start(Backend::Sqlite).await;
    let mut told = BTreeMap::new();
    for method in descriptor::rpcs(&descriptor::pool()) {
        let name = format!("{}/{}", method.parent_service().full_name(), method.name());
        let request = all_wrong(&method.input(), 0);
        let answer = dynamic::call(suite.channel(&method), &method, vec![request], 2).await;
        let fields = match answer {
            Ok(answers) if method.is_client_streaming() => rows(&answers),
            Ok(_) => Err("OK".to_owned()),
            Err(status) if status.code() == Code::InvalidArgument => {
                let details = status.get_error_details();
                let mut fields: Vec<String> = details
                    .bad_request()
                    .into_iter()
                    .flat_map(|bad| &bad.field_violations)
                    .map(|violation| violation.field.clone())
                    .collect();
                fields.sort();
                Ok(fields)
            }
            Err(status) => Err(format!("{:?}: {}", status.code(), status.message())),
        };
        told.insert(name, fields.and_then(|fields| complete(&method, fields)));
    }
    suite.stop().await;
    told
}

/// An import tells what is wrong with a row in the result of the row.
fn rows(answers: &[DynamicMessage]) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    for answer in answers {
        let Some(violations) = answer.get_field_by_name("violations") else { return Err("OK".to_owned()) };
        for violation in violations.as_list().into_iter().flatten().filter_map(Value::as_message) {
            fields.extend(violation.get_field_by_name("field").and_then(|field| field.as_str().map(str::to_owned)));
        }
    }
    fields.sort();
    if fields.is_empty() { Err("OK".to_owned()) } else { Ok(fields) }
}

/// What can be told from the type alone: ids that are none and values that no enum has must be among the violations.
fn complete(method: &MethodDescriptor, fields: Vec<String>) -> Result<Vec<String>, String> {
    let surely_wrong = |field: &FieldDescriptor| match field.kind() {
        Kind::Enum(_) => !field.is_list(),
        Kind::String => !field.is_list() && field.name().ends_with("_id") && !["request_id", "row_id", "import_id"].contains(&field.name()),
        _ => false,
    };
    let input = method.input();
    // The rows of a stream are told about one by one; where a token says it all, the ids beside it are not looked at.
    if method.is_client_streaming() || input.get_field_by_name("token").is_some() {
        return Ok(fields);
    }
    let alone = |field: &FieldDescriptor| field.containing_oneof().is_none();
    let missing: Vec<String> = input
        .fields()
        .filter(|field| alone(field) && surely_wrong(field))
        .map(|field| field.name().to_owned())
        .filter(|name| !fields.contains(name))
        .collect();
    if missing.is_empty() { Ok(fields) } else { Err(format!("INVALID_ARGUMENT for {fields:?} without {missing:?}, which are wrong too")) }
}

/// A message of this type in which every field is wrong.
fn all_wrong(of: &MessageDescriptor, depth: usize) -> DynamicMessage {
    let mut message = DynamicMessage::new(of.clone());
    match of.full_name() {
        "google.protobuf.Timestamp" | "google.protobuf.Duration" => {
            message.set_field_by_name("seconds", Value::I64(i64::MAX));
            message.set_field_by_name("nanos", Value::I32(-1));
            return message;
        }
        "google.protobuf.FieldMask" => {
            message.set_field_by_name("paths", Value::List(vec![Value::String("nope".to_owned())]));
            return message;
        }
        _ => {}
    }
    for field in of.fields() {
        let later_choice = field.containing_oneof().is_some_and(|oneof| oneof.fields().next().is_some_and(|first| first != field));
        if later_choice || depth > 3 {
            continue;
        }
        let wrong = if field.is_map() {
            let Kind::Message(entry) = field.kind() else { continue };
            Value::Map([(MapKey::String("?!".to_owned()), one_wrong(&entry.map_entry_value_field(), depth))].into())
        } else if field.is_list() {
            Value::List(vec![one_wrong(&field, depth)])
        } else {
            one_wrong(&field, depth)
        };
        message.set_field(&field, wrong);
    }
    message
}

fn one_wrong(field: &FieldDescriptor, depth: usize) -> Value {
    match field.kind() {
        Kind::Message(inner) => Value::Message(all_wrong(&inner, depth + 1)),
        Kind::Enum(_) => Value::EnumNumber(NO_VALUE),
        // No id, no address, no token, no filter, and longer than any short text may be.
        Kind::String => Value::String(format!("= \0{}", "?!".repeat(700))),
        Kind::Bytes => Value::Bytes(Vec::new().into()),
        Kind::Bool => Value::Bool(true),
        Kind::Double => Value::F64(f64::NAN),
        Kind::Float => Value::F32(f32::NAN),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(-1),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(-1),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(u32::MAX),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(u64::MAX),
    }
}
