//! `wharf compile`.

use std::path::Path;

use wharf::Bytes;

use crate::args::{CompileArgs, EngineArgs};
use crate::engine::{engine, make_secret, require_compiler};
use crate::failure::Failure;
use crate::load::{Layer, Loaded, load};

/// Compiles the file and gives the exit status of the process.
pub fn compile(args: &CompileArgs) -> Result<u8, Failure> {
    require_compiler("`wharf compile`")?;
    let file = args.file.display().to_string();
    let Loaded { bytes, layer } = load(&args.file)?;
    let secret = make_secret(args.artifact_key.as_deref())?;
    let engine = engine(&EngineArgs::default(), Some(secret))?;
    let bytes = Bytes::from(bytes);
    let artifact = match layer {
        Layer::Component => engine.precompile_component(bytes),
        Layer::Module => engine.precompile_module(bytes),
    };
    let artifact = artifact.map_err(|e| Failure::engine(&file, &e))?;
    let output = match &args.output {
        Some(path) => path.clone(),
        None => args.file.with_extension("wharf"),
    };
    replace(&output, &artifact).map_err(|e| Failure::new(format!("{}: {e}", output.display())))?;
    Ok(0)
}

/// Replaces a file as a whole: the one that is there may be running.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path
        .file_name()
        .ok_or(std::io::ErrorKind::IsADirectory)?
        .to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = std::fs::write(&temporary, bytes).and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}
