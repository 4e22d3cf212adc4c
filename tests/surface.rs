//! Keeps the surface: what callers see is written in `surface.txt`, so that every change of it is read in review.

use std::{env, fmt::Write as _, fs};

use prost_reflect::{Cardinality, DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};

use crate::{descriptor, source};

const FILE: &str = "tests/surface.txt";

#[test]
fn the_surface_is_the_reviewed_one() {
    let surface = render(&descriptor::pool());
    if env::var_os("RAPPORT_BLESS").is_some() {
        fs::write(source::root().join(FILE), &surface).expect("the surface can be written");
        return;
    }
    let reviewed = fs::read_to_string(source::root().join(FILE)).unwrap_or_default();
    if surface == reviewed {
        return;
    }
    let changes = changes(&reviewed, &surface);
    panic!(
        "\nThe protos say something else than {FILE}:\n\n{changes}\n\
         If callers should see this, write it down with `RAPPORT_BLESS=1 cargo test --test tests surface` and commit the file;\n\
         what callers of the last release would stumble over is told by .ci/buf-lint.\n"
    );
}

/// The lines that went and came, each behind its heading; at most forty.
fn changes(old: &str, new: &str) -> String {
    let (old, new) = (headed(old), headed(new));
    let missing = |from: &[String], other: &[String], mark: char| -> Vec<String> {
        from.iter().filter(|line| !other.contains(line)).map(|line| format!("{mark} {line}\n")).collect()
    };
    let mut all = missing(&old, &new, '-');
    all.extend(missing(&new, &old, '+'));
    let hidden = all.len().saturating_sub(40);
    all.truncate(40);
    if all.is_empty() {
        return "(the same lines in another order)\n".to_owned();
    }
    if hidden > 0 {
        all.push(format!("… and {hidden} more\n"));
    }
    all.concat()
}

/// Each line with the package and the message, enum or service that it stands under.
fn headed(text: &str) -> Vec<String> {
    let (mut package, mut heading) = ("", "");
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix("package ") {
            Some(name) => package = name,
            None if line.starts_with("  ") => lines.push(format!("{package} {heading}: {}", line.trim())),
            None => {
                heading = line;
                lines.push(format!("{package} {heading}"));
            }
        }
    }
    lines
}

fn render(pool: &DescriptorPool) -> String {
    let mut text =
        String::from("# What callers see. Written by `RAPPORT_BLESS=1 cargo test --test tests surface`; read every change of it.\n");
    for package in descriptor::packages(pool) {
        section(pool, &package, &mut text).expect("a string takes every text");
    }
    text
}

fn section(pool: &DescriptorPool, package: &str, text: &mut String) -> std::fmt::Result {
    writeln!(text, "\npackage {package}")?;
    let own = |full: &str| full.strip_prefix(package).map_or(full, |rest| rest.trim_start_matches('.')).to_owned();
    for service in descriptor::services(pool, package) {
        writeln!(text, "\nservice {}", service.name())?;
        for method in service.methods() {
            writeln!(text, "  {}", rpc(&method, &own))?;
        }
    }
    for message in descriptor::messages(pool, package) {
        writeln!(text, "\nmessage {}", own(message.full_name()))?;
        fields(&message, &own, text)?;
    }
    for own_enum in descriptor::enums(pool, package) {
        writeln!(text, "\nenum {}", own(own_enum.full_name()))?;
        for value in own_enum.values() {
            writeln!(text, "  {} {}", value.number(), value.name())?;
        }
    }
    Ok(())
}

fn rpc(method: &MethodDescriptor, own: &dyn Fn(&str) -> String) -> String {
    let stream = |streaming: bool| if streaming { "stream " } else { "" };
    format!(
        "{}({}{}) -> {}{}",
        method.name(),
        stream(method.is_client_streaming()),
        own(method.input().full_name()),
        stream(method.is_server_streaming()),
        own(method.output().full_name())
    )
}

fn fields(message: &MessageDescriptor, own: &dyn Fn(&str) -> String, text: &mut String) -> std::fmt::Result {
    for field in message.fields() {
        let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic()).map(|oneof| format!(" (oneof {})", oneof.name()));
        writeln!(text, "  {} {}: {}{}", field.number(), field.name(), kind(&field, own), oneof.unwrap_or_default())?;
    }
    Ok(())
}

fn kind(field: &FieldDescriptor, own: &dyn Fn(&str) -> String) -> String {
    if let Kind::Message(entry) = field.kind()
        && field.is_map()
    {
        return format!("map<{}, {}>", kind(&entry.map_entry_key_field(), own), kind(&entry.map_entry_value_field(), own));
    }
    let name = match field.kind() {
        Kind::Message(message) => own(message.full_name()),
        Kind::Enum(of) => own(of.full_name()),
        scalar => format!("{scalar:?}").to_lowercase(),
    };
    match field.cardinality() {
        Cardinality::Repeated => format!("repeated {name}"),
        _ if field.field_descriptor_proto().proto3_optional() => format!("optional {name}"),
        _ => name,
    }
}
