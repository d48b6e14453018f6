//! The output is Rust, and has what the WIT asks for.

use std::path::Path;

use wharf_bindgen_gen::{Input, generate};

fn try_generate(input: &str) -> syn::Result<String> {
    let input: Input = syn::parse_str(input)?;
    let loaded = input.load(Path::new(env!("CARGO_MANIFEST_DIR")))?;
    let code = generate(&loaded.resolve, loaded.world, &input.options)?;
    let file: syn::File = syn::parse2(code)?;
    Ok(squeeze(&quote::ToTokens::into_token_stream(file).to_string()))
}

fn squeeze(code: &str) -> String {
    code.split_whitespace().collect()
}

#[track_caller]
fn output(input: &str) -> String {
    try_generate(input).unwrap_or_else(|e| panic!("{e}"))
}

/// Checks for a piece of Rust, however it is spaced.
#[track_caller]
fn has(output: &str, piece: &str) {
    assert!(output.contains(&squeeze(piece)), "missing: {piece}");
}

#[track_caller]
fn fails(input: &str, message: &str) {
    let error = try_generate(input).expect_err("an error").to_string();
    assert!(error.contains(message), "{error}");
}

#[test]
fn wasi() {
    let output = output(
        r#"{
            path: "../../wit",
            world: "wasi:cli/command@0.2.12",
            with: { "wasi:io/poll/pollable": MyPollable, "wasi:io/streams.input-stream": crate::Input },
            trappable_error_type: { "wasi:filesystem/types/error-code" => FsError, "wasi:sockets/network.error-code" => NetError },
            imports: { "wasi:io/poll": async, "wasi:filesystem/types.[method]descriptor.stat": async },
        }"#,
    );
    has(&output, "fn stat(&mut self, self_: ::wharf::component::Resource<Descriptor>,)
            -> impl ::core::future::Future<Output = ::core::result::Result<DescriptorStat, super::super::super::__error0>> + ::core::marker::Send;");
    has(&output, "pub type Pollable = super::super::super::__with0;");
}

#[test]
fn http() {
    let output = output(
        r#"{ path: "../../wit", world: "proxy", imports: { default: async }, exports: { default: async } }"#,
    );
    has(&output, "pub type Headers = Fields;");
    has(&output, "pub fn wasi_http_incoming_handler(&self)");
}
