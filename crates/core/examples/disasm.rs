//! Prints the bytecode of a function: `cargo run --release -p wharf-core --example disasm -- FILE EXPORT-OR-INDEX`.

use wharf_core::{Engine, Module};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, func] = args.as_slice() else {
        return Err("usage: disasm FILE FUNCTION-INDEX".into());
    };
    let bytes = std::fs::read(file)?;
    let module = Module::new(&Engine::default(), bytes)?;
    print!("{}", module.disassemble(func.parse()?)?);
    Ok(())
}
