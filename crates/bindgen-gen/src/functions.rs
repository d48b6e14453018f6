//! Names and parameters of functions, imported and exported ones alike.

use proc_macro2::TokenStream;
use quote::format_ident;
use syn::Ident;
use wit_parser::Function;

use crate::names;
use crate::types::{Mode, Names};

/// The Rust name of a function, method or constructor.
pub(crate) fn rust_name(function: &Function) -> Ident {
    let name = function.item_name();
    if matches!(function.kind, wit_parser::FunctionKind::Constructor(_)) {
        return names::ident("new");
    }
    if matches!(function.kind.accessor(), Some(wit_parser::AccessorKind::Setter)) {
        return names::prefixed_snake("set", name);
    }
    match name {
        // These two are what constructors and destructors are called.
        "new" | "drop" if function.kind.resource().is_some() => format_ident!("{name}_"),
        _ => names::snake(name),
    }
}

/// Names and types of a function's parameters.
pub(crate) fn params(
    cx: Names<'_>,
    function: &Function,
    mode: Mode,
) -> syn::Result<Vec<(Ident, TokenStream)>> {
    function
        .params
        .iter()
        .map(|param| Ok((names::snake(&param.name), cx.ty(&param.ty, mode)?)))
        .collect()
}
