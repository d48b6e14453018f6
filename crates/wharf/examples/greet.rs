//! Calls a function of a component: `cargo run -p wharf --example greet`. The README shows these lines.

use wharf::component::{Component, Linker};
use wharf::{Engine, Store};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::default();
    let bytes = std::fs::read("examples/guests/rust-library/rust-library.wasm")?;
    let component = Component::new(&engine, bytes)?;
    let linker = Linker::<()>::new(&engine);
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component)?;
    let greet = instance.get_typed_func::<(&str,), (String,)>(&mut store, "greet")?;
    let (greeting,) = greet.call(&mut store, ("Wharf",))?;
    println!("{greeting}");
    Ok(())
}
