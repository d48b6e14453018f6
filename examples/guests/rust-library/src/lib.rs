//! A component that exports functions over every kind of WIT value, and imports nothing.

mod values;
mod work;

wit_bindgen::generate!({ path: "wit/values.wit", world: "library" });

struct Library;

impl Guest for Library {
    fn greet(name: String) -> String {
        format!("Hello, {name}!")
    }

    fn add(a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }
}

export!(Library);
