//! Comments of WIT.

use proc_macro2::TokenStream;
use quote::quote;
use wit_parser::Docs;

/// WIT comments as Rust ones.
pub(crate) fn docs(docs: &Docs) -> TokenStream {
    let Some(text) = &docs.contents else {
        return TokenStream::new();
    };
    let mut in_code = false;
    let lines = text.trim_end().lines().map(|line| {
        // Examples in WIT are not Rust, and must not be run as its tests.
        let line = if line.trim() == "```" && !in_code {
            line.replace("```", "```text")
        } else {
            line.to_owned()
        };
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        format!(" {}", line.trim_end())
    });
    quote!(#(#[doc = #lines])*)
}
