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

#[test]
fn forms_of_the_input() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    for input in [
        r#""wasi:io/imports" in "../../wit""#,
        r#"{ path: "../../wit", world: "wasi:io/imports@0.2.12" }"#,
        r#"{ path: ["../../wit/deps/io"], world: "imports", }"#,
        r#"{ path: "../../wit", inline: "package a:b; world w { import wasi:io/streams@0.2.12; }" }"#,
    ] {
        let input: Input = syn::parse_str(input).unwrap();
        let loaded = input.load(manifest).unwrap();
        assert!(
            loaded.files.iter().any(|f| f.ends_with("io/streams.wit")),
            "{:?}",
            loaded.files
        );
        let code = generate(&loaded.resolve, loaded.world, &input.options).unwrap();
        has(&squeeze(&code.to_string()), "pub trait HostInputStream");
    }
    assert!(syn::parse_str::<Input>("").is_ok());
    assert!(syn::parse_str::<Input>("in \"x\"").is_ok());
    assert!(syn::parse_str::<Input>("\"w\"").is_ok());
}

#[test]
fn several_versions_of_a_package() {
    let output = output(
        r#"{ inline: "
            package a:b;
            package c:d@1.0.0 { interface i { f: func(); } }
            package c:d@2.0.0-rc.1 { interface i { g: func(); } }
            world w { import c:d/i@1.0.0; import c:d/i@2.0.0-rc.1; }
        ", imports: { "c:d@1.0.0": async } }"#,
    );
    has(&output, "pub mod d1_0_0 {");
    has(&output, "pub mod d2_0_0_rc_1 {");
    has(&output, r#"linker.instance("c:d/i@2.0.0-rc.1")"#);
    has(&output, "async fn f(&mut self,)");
    has(&output, "fn g(&mut self,) -> ::wharf::Result<()>;");
}

#[test]
fn names_that_clash_with_rust() {
    let output = output(
        r#"{ inline: "
            package a:b;
            interface i {
                record host { %type: u8, %self: string }
                enum result-kind { ok, err, %self }
                resource %string { constructor(); new: func(); drop: static func(%async: u32); }
                match: func(loop: %string) -> host;
            }
            world w { import i; export call: func(store: string); }
        " }"#,
    );
    has(
        &output,
        "pub struct Host_ { pub type_: u8, pub self_: ::std::string::String, }",
    );
    has(&output, "Self_");
    has(
        &output,
        "fn new_(&mut self, self_: ::wharf::component::Resource<String>,)",
    );
    has(&output, "fn drop_(&mut self, async_: u32,)");
    has(&output, "fn match_(&mut self,");
    has(&output, "store_: &str");
}

#[test]
fn an_interface_that_is_imported_and_exported() {
    let output = output(
        r#"{ inline: "
            package a:b;
            interface types { resource r; record pair { a: own<r>, b: u32 } }
            interface user { use types.{r, pair}; make: func(p: pair) -> r; }
            world w { import types; import user; export types; export user; }
        " }"#,
    );
    has(&output, "pub type R = ::wharf::component::ResourceAny;");
    has(&output, "pub type R = super::super::super::a::b::types::R;");
    has(
        &output,
        "pub type R = super::super::super::super::exports::a::b::types::R;",
    );
    has(&output, "pub fn call_make<_S: ::wharf::AsContextMut>");
}

#[test]
fn messages() {
    fails(
        r#"{ inline: "package a:b; world w {}", color: 1 }"#,
        "unknown option `color`",
    );
    fails(
        r#"{ inline: "package a:b; world w {}", inline: "" }"#,
        "`inline` is given twice",
    );
    fails(
        r#"{ inline: "package a:b; world w {}", world: "v" }"#,
        "World `v` not found in package `a:b` (worlds there: w)",
    );
    fails(
        r#"{ inline: "package a:b; world w {} world v {}" }"#,
        "(worlds there: w, v)",
    );
    fails(
        "{ inline: \"package a:b;\nworld w { import no; }\" }",
        "inline WIT:2:18",
    );
    fails(r#"{ path: "no/such/folder" }"#, "no/such/folder");
    fails(
        r#"{ path: "../../wit", world: "wasi:io/no" }"#,
        "`no` not found in package `wasi:io@0.2.12`",
    );
    let streams = |option: &str| format!(r#"{{ path: "../../wit", world: "wasi:io/imports", {option} }}"#);
    fails(
        &streams(r#"with: { "wasi:io/nothing": X }"#),
        "`wasi:io/nothing` in `with` does not name an import",
    );
    fails(
        &streams(r#"with: { "wasi:io/streams.pollable": X }"#),
        "is another name of a type",
    );
    fails(&streams(r#"with: { "wasi:io": X, "wasi:io": Y }"#), "given twice");
    fails(
        &streams(r#"trappable_error_type: { "wasi:io/streams.error-cod" => X }"#),
        "in `trappable_error_type`",
    );
    fails(
        &streams(r#"imports: { "wasi:io/poll.pull": async }"#),
        "`wasi:io/poll.pull` in `imports`",
    );
    fails(
        &streams(r#"imports: { "wasi:io": async, "wasi:io/poll": async }"#),
        "`wasi:io/poll` in `imports`",
    );
    fails(
        &streams(r#"imports: { "wasi:io/poll": exact }"#),
        "`wasi:io/poll` in `imports`",
    );
    fails(
        &streams(r#"exports: { "wasi:io/poll": async }"#),
        "`wasi:io/poll` in `exports`",
    );
    fails(&streams("imports: { default: slow }"), "unknown flag `slow`");
    fails(&streams("async: true"), "`async` is chosen per function");
    for (wit, what) in [
        ("import f: async func();", "`async func`"),
        ("import f: func(s: stream<u8>);", "a stream"),
        ("import f: func() -> future;", "a future"),
        ("import f: func(l: list<u8, 4>);", "a fixed-length list"),
        ("export f: func(e: error-context);", "`error-context`"),
    ] {
        let input = format!("{{ inline: \"package a:b;\nworld w {{ {wit} }}\" }}");
        fails(
            &input,
            &format!("{what} is not supported by `bindgen!` yet (`f` at inline WIT:2:18)"),
        );
    }
}
