//! Compiles the protos of all services with protox, so that no protoc is needed.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

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
        if let Err(error) = compiler.open_file(proto) {
            println!("cargo::warning={}: {}", proto.display(), format!("{error:?}").replace('\n', " "));
        }
    }
    // As bytes from protox and not from the decoded set: only they keep the options.
    fs::write(out.join("file_descriptor_set.bin"), compiler.encode_file_descriptor_set())?;

    let set = compiler.file_descriptor_set();
    let missing: Vec<&str> = PACKAGES.into_iter().filter(|package| !set.file.iter().any(|file| file.package() == *package)).collect();
    tonic_prost_build::configure().btree_map(".").emit_rerun_if_changed(false).compile_fds(set)?;
    for package in missing {
        fs::write(out.join(format!("{package}.rs")), "")?;
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
