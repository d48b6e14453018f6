//! What a user can choose about the generated code.

use proc_macro2::{Span, TokenStream};
use quote::quote;

/// Choices about the generated code.
#[derive(Clone)]
pub struct Options {
    /// The path of the `wharf` crate in the generated code.
    pub wharf_crate: TokenStream,
    /// Types and modules to use in place of generated ones, by WIT name: a namespace, package, interface or type.
    pub with: Vec<Mapping>,
    /// Rust error types that host functions return in place of a WIT error type, by the WIT type's name.
    pub trappable_error_types: Vec<Mapping>,
    /// How imported functions look.
    pub imports: FunctionRules,
    /// How exported functions look.
    pub exports: FunctionRules,
    /// Traits to derive for every generated record, variant and enum, besides the usual ones.
    pub additional_derives: Vec<syn::Path>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            wharf_crate: quote!(::wharf),
            with: Vec::new(),
            trappable_error_types: Vec::new(),
            imports: FunctionRules::default(),
            exports: FunctionRules::default(),
            additional_derives: Vec::new(),
        }
    }
}

/// A WIT name and what stands for it in Rust.
#[derive(Clone)]
pub struct Mapping {
    /// The WIT name.
    pub key: String,
    /// Where the name stands in the source, for messages.
    pub span: Span,
    /// The Rust type, or the path of a module.
    pub ty: syn::Type,
}

/// Flags of functions by name. The first rule that matches a function counts.
#[derive(Clone, Default)]
pub struct FunctionRules {
    /// The rules in the order in which they were given.
    pub rules: Vec<FunctionRule>,
    /// The flags of functions that no rule matches.
    pub default: FunctionFlags,
}

/// Flags for the functions that a WIT name covers.
#[derive(Clone)]
pub struct FunctionRule {
    /// The WIT name of a function, or of an interface, package or namespace.
    pub key: String,
    /// Where the name stands in the source, for messages.
    pub span: Span,
    /// The flags.
    pub flags: FunctionFlags,
}

/// How one function looks in Rust.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FunctionFlags {
    /// An `async fn` in Rust. To the guest the function is a blocking one all the same.
    pub is_async: bool,
    /// The rule holds for exactly the named function or interface, not for what is inside.
    pub exact: bool,
}
