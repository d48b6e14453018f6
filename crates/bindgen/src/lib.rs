//! The `bindgen!` macro; use it as `wharf::component::bindgen!`.

#![forbid(unsafe_code)]

use std::path::PathBuf;

use proc_macro::TokenStream;
use quote::quote;
use wharf_bindgen_gen::{Input, generate};

/// Makes Rust bindings for the host of a WIT world.
///
/// For what the world imports there are traits that the host implements; for what it exports there are structs with a
/// method per function. All of it is checked by the Rust compiler against the WIT.
///
/// ```no_run
/// use wharf::component::{Component, HasSelf, Linker, bindgen};
/// use wharf::{Engine, Result, Store};
///
/// bindgen!({
///     inline: r#"
///         package demo:greeting;
///
///         interface names {
///             name: func(number: u32) -> option<string>;
///         }
///
///         world greeter {
///             import names;
///             export greet: func(number: u32) -> string;
///         }
///     "#,
/// });
///
/// struct Host;
///
/// impl demo::greeting::names::Host for Host {
///     fn name(&mut self, number: u32) -> Result<Option<String>> {
///         Ok((number == 1).then(|| "Ada".to_owned()))
///     }
/// }
///
/// fn main() -> Result<()> {
///     let engine = Engine::default();
///     let component = Component::new(&engine, std::fs::read("greeter.wasm").map_err(wharf::Error::host)?)?;
///     let mut linker = Linker::new(&engine);
///     Greeter::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host)?;
///     let mut store = Store::new(&engine, Host);
///     let greeter = Greeter::instantiate(&mut store, &component, &linker)?;
///     println!("{}", greeter.call_greet(&mut store, 1)?);
///     Ok(())
/// }
/// ```
///
/// # Forms
/// - `bindgen!()`: the only world of the package in the folder `wit` beside `Cargo.toml`.
/// - `bindgen!("world")`, `bindgen!(in "path")`, `bindgen!("world" in "path")`.
/// - `bindgen!({ option: value, .. })` with the options below.
///
/// # Options
/// - `path: "dir"` or `path: ["dir", "file.wit"]`: where the WIT is, relative to the folder of `Cargo.toml`. A folder is
///   one package; its subfolder `deps` holds the packages it uses. The default is `"wit"`.
/// - `inline: "package a:b; .."`: WIT in the source. It can use the packages of `path`.
/// - `world: "name"`: the world, in the package of `inline` or `path`, or a full name such as
///   `"wasi:cli/command@0.2.12"`. Not needed if the package has one world.
/// - `features: ["clocks-timezone"]`: the features of `@unstable` items to include.
/// - `with: { "wasi:io/poll.pollable": MyPollable, "wasi:io": crate::bindings::wasi::io }`: what to use in place of
///   generated code. The key names a type and the value is a Rust type, usually for a resource, which is then
///   `Resource<MyPollable>`; or the key names an interface, package or namespace, and the value is a module made by
///   another `bindgen!`.
/// - `trappable_error_type: { "wasi:filesystem/types.error-code" => FsError }`: host functions whose WIT result has that
///   error return `Result<T, FsError>`. The `Host` trait of the interface that defines the error gets a method
///   `convert_error_code(&mut self, FsError) -> wharf::Result<ErrorCode>`; its `Err` is a trap.
/// - `imports: { "wasi:io/poll": async, "wasi:cli/exit.exit": trappable, default: async | trappable }`: flags for
///   imported functions. A key names a function, as in `"wasi:io/poll.[method]pollable.block"`, or an interface, package
///   or namespace and all functions in it; the first key that matches counts, else `default`.
///   - `async`: an `async fn` in the trait. To the guest the function blocks all the same. Under `call_async` and
///     `instantiate_async` a waiting host function suspends the guest, otherwise it blocks the thread.
///   - `sync` or `trappable`: a plain `fn`. Every host function returns `wharf::Result`, whose `Err` is a trap.
///   - `exact`: a key for an interface, package or namespace then means nothing.
///
///   The destructor of a resource is `async` if a key names it: `"wasi:io/streams.[drop]output-stream": async`.
/// - `exports: { default: async }`: the same flags for exported functions; `async` ones are called by `call_async`.
/// - `additional_derives: [PartialEq, serde::Serialize]`: more traits to derive for records, variants and enums. They
///   have `Debug`, and `Clone` and `Copy` where the content allows; enums have `PartialEq` and `Eq`.
/// - `wharf_crate: path::to::wharf`: where the crate `wharf` is, as a path that holds in every module, such as
///   `crate::wharf` or `::other_name`. The default is `::wharf`.
/// - `require_store_data_send: true`: accepted; the data of a store is always `Send`.
///
/// A key can have the version of its package, `"wasi:io/poll@0.2.12.pollable"`, and `/` in place of the last `.`. A key
/// that matches nothing is an error.
///
/// # What comes out
/// - An imported interface `wasi:io/poll` is the module `wasi::io::poll` with its types, the trait `Host`, a trait
///   `HostPollable` for each resource, and `add_to_linker`. If the world has several versions of a package, their
///   modules have the version in the name: `io0_2_12`.
/// - An exported interface is the module `exports::wasi::cli::run` with its types and the struct `Guest`, whose methods
///   are `call_run` and, for a resource `thing`, `thing().call_method(..)`. A guest's resource is a `ResourceAny`.
/// - A world `command` is the struct `Command` with `add_to_linker`, `instantiate`, `instantiate_async`, `new` for an
///   instance that is there already, a method per exported function and a method such as `wasi_cli_run()` per exported
///   interface; `CommandPre` is the same before instantiation. What the world imports outside of interfaces is the
///   trait `CommandImports`.
/// - Types: a record is a struct, variants and enums are Rust enums, flags a struct with constants. `list<T>` is `Vec<T>`,
///   a parameter of an exported function `&[T]`; `string` is `String` and `&str`. A resource of the host is
///   `Resource<T>`; without `with`, `T` is an empty enum made for the purpose. Types that functions return as errors
///   implement `std::error::Error`.
///
/// # Errors
/// WIT that does not parse is reported with its position in the WIT file. `async func`, `stream`, `future`,
/// `error-context`, `map` and lists of fixed length are reported as not supported yet.
#[proc_macro]
pub fn bindgen(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as Input);
    expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

fn expand(input: &Input) -> syn::Result<proc_macro2::TokenStream> {
    let base = std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    let loaded = input.load(&base)?;
    let code = generate(&loaded.resolve, loaded.world, &input.options)?;
    // A change of these files must run the macro again; the compiler learns of them by reading them.
    let files = loaded.files.iter().filter_map(|file| file.to_str());
    Ok(quote! {
        #code
        #(const _: &str = ::core::include_str!(#files);)*
    })
}
