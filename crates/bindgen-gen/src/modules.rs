//! The tree of modules in the output.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

/// A module: its items and its submodules.
#[derive(Default)]
pub(crate) struct ModuleTree {
    items: TokenStream,
    children: BTreeMap<Ident, ModuleTree>,
}

impl ModuleTree {
    pub(crate) fn add(&mut self, path: &[Ident], items: TokenStream) {
        match path.split_first() {
            None => self.items.extend(items),
            Some((first, rest)) => self.children.entry(first.clone()).or_default().add(rest, items),
        }
    }

    pub(crate) fn into_tokens(self) -> TokenStream {
        let ModuleTree { items, children } = self;
        let children = children.into_iter().map(|(name, module)| {
            let content = module.into_tokens();
            quote! {
                #[allow(missing_docs, unused, clippy::all, private_interfaces, rustdoc::all)]
                pub mod #name { #content }
            }
        });
        quote! { #items #(#children)* }
    }
}
