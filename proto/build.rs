//! Compiles the protos of all services with protox, so that no protoc is needed, and gives the messages a `Debug`
//! that shows ids, numbers and times only: what people said and are called must not get into logs by `{:?}`.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet, field_descriptor_proto::Type};

/// The packages that `src/lib.rs` has a module for.
const PACKAGES: [&str; 5] =
    ["rapport.common.v1", "rapport.customer.v1", "rapport.interaction.v1", "rapport.feedback.v1", "rapport.newsletter.v1"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=rapport");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let protos = protos(Path::new("rapport"))?;

    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_imports(true).include_source_info(true);
    for proto in &protos {
        compiler.open_file(proto)?;
    }
    // As bytes from protox and not from the decoded set: only they keep the options.
    fs::write(out.join("file_descriptor_set.bin"), compiler.encode_file_descriptor_set())?;

    let set = compiler.file_descriptor_set();
    let debugs = PACKAGES.map(|package| (package, Redacted::of(&set, package)));
    let redacted: Vec<&String> = debugs.iter().flat_map(|(_, debug)| &debug.messages).collect();
    tonic_prost_build::configure().btree_map(".").skip_debug(redacted).emit_rerun_if_changed(false).compile_fds(set)?;
    for (package, debug) in debugs {
        let file = out.join(format!("{package}.rs"));
        let generated = fs::read_to_string(&file)?;
        fs::write(&file, generated + &debug.code)?;
    }
    Ok(())
}

/// Every `.proto` below `folder`, in a stable order.
fn protos(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>, std::io::Error>>()?;
    entries.sort();
    let mut found = Vec::new();
    for path in entries {
        if path.is_dir() {
            found.extend(protos(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            found.push(path);
        }
    }
    Ok(found)
}

/// The messages of a package whose `Debug` is written here, and that code.
#[derive(Default)]
struct Redacted {
    messages: Vec<String>,
    code: String,
}

impl Redacted {
    fn of(set: &FileDescriptorSet, package: &str) -> Self {
        let mut redacted = Self::default();
        for file in set.file.iter().filter(|file| file.package() == package) {
            for message in &file.message_type {
                redacted.message(message, &format!(".{package}"), "");
            }
        }
        redacted
    }

    /// One message and those inside it; `module` is the Rust path of what is inside its parent.
    fn message(&mut self, message: &DescriptorProto, parent: &str, module: &str) {
        let full_name = format!("{parent}.{}", message.name());
        let name = message.name().to_upper_camel_case();
        let inside = format!("{module}{}::", message.name().to_snake_case());
        let in_oneof = |field: &&FieldDescriptorProto| field.oneof_index.is_some() && !field.proto3_optional();
        let entries = || message.nested_type.iter().filter(|nested| nested.options.as_ref().is_some_and(|options| options.map_entry()));
        // What is in a map is what callers make of it.
        let is_map = |field: &FieldDescriptorProto| entries().any(|entry| field.type_name() == format!("{full_name}.{}", entry.name()));
        let mut fields = String::new();
        for field in message.field.iter().filter(|field| !in_oneof(field) && !is_map(field) && shown(field)) {
            let field = field.name().to_snake_case();
            let _ = write!(fields, ".field({field:?}, &self.r#{field})");
        }
        for (index, oneof) in message.oneof_decl.iter().enumerate() {
            let of_it: Vec<_> = message.field.iter().filter(in_oneof).filter(|field| field.oneof_index == Some(index as i32)).collect();
            if of_it.is_empty() {
                continue;
            }
            let (field, kind) = (oneof.name().to_snake_case(), oneof.name().to_upper_camel_case());
            let _ = write!(fields, ".field({field:?}, &self.r#{field})");
            let arms: String = of_it.iter().map(|field| arm(field)).collect();
            self.implement(&format!("{inside}{kind}"), &format!("match self {{ {arms} }}"));
        }
        self.implement(&format!("{module}{name}"), &format!("f.debug_struct({name:?}){fields}.finish_non_exhaustive()"));
        for nested in message.nested_type.iter().filter(|nested| !nested.options.as_ref().is_some_and(|options| options.map_entry())) {
            self.message(nested, &full_name, &inside);
        }
        self.messages.push(full_name);
    }

    fn implement(&mut self, path: &str, body: &str) {
        let _ = writeln!(
            self.code,
            "impl ::core::fmt::Debug for {path} {{ fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {{ {body} }} }}"
        );
    }
}

/// How one choice of a oneof is shown.
fn arm(field: &FieldDescriptorProto) -> String {
    let variant = field.name().to_upper_camel_case();
    if shown(field) {
        format!("Self::{variant}(value) => f.debug_tuple({variant:?}).field(value).finish(),")
    } else {
        format!("Self::{variant}(_) => f.write_str({variant:?}),")
    }
}

/// Whether a field may be shown: a text only if its name says that it is an id or a mark of ours.
fn shown(field: &FieldDescriptorProto) -> bool {
    let name = field.name();
    match field.r#type() {
        Type::String => {
            name.ends_with("_id") || name.ends_with("_ids") || ["etag", "cursor", "head", "type", "traceparent"].contains(&name)
        }
        Type::Bytes => false,
        _ => true,
    }
}
