//! The generator behind Wharf's `bindgen!` macro: a WIT world in, Rust host bindings out.
//!
//! It is a library of its own so that it can be tested without a compiler run per case. [`Input`] is what stands
//! between the parentheses of the macro, [`Input::load`] reads the WIT it names, and [`generate`] writes the code.
//!
//! ```
//! let input: wharf_bindgen_gen::Input = syn::parse_str(r#"{
//!     inline: "package a:b; interface greeter { greet: func(name: string) -> string; } world w { import greeter; }",
//! }"#)?;
//! let loaded = input.load(".".as_ref())?;
//! let code = wharf_bindgen_gen::generate(&loaded.resolve, loaded.world, &input.options)?;
//! assert!(code.to_string().contains("trait Host"));
//! # Ok::<(), syn::Error>(())
//! ```

#![forbid(unsafe_code)]

mod docs;
mod exports;
mod functions;
mod generate;
mod generator;
mod imports;
mod input;
mod keys;
mod load;
mod modules;
mod names;
mod options;
mod typedefs;
mod types;
mod used;
mod world;

pub use generate::generate;
pub use input::{Input, Source};
pub use load::Loaded;
pub use options::{FunctionFlags, FunctionRule, FunctionRules, Mapping, Options};
