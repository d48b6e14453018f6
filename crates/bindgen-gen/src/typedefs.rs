//! Definitions of the types that WIT names.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;
use wit_parser::{Flags, Type, TypeDefKind, TypeId, WorldItem};

use crate::docs::docs;
use crate::generator::{Generator, Place};
use crate::modules::ModuleTree;
use crate::names;
use crate::types::{Mode, Names, locate, unsupported};

/// The types of an interface.
pub(crate) fn interface(generator: &Generator<'_>, place: &Place, tree: &mut ModuleTree) -> syn::Result<()> {
    let Some(path) = place.module() else { return Ok(()) };
    let cx = Names::module(generator, place.id, path);
    for id in generator.resolve.interfaces[place.id].types.values() {
        tree.add(path, define_located(cx, *id)?);
    }
    Ok(())
}

/// The types that the world declares in place.
pub(crate) fn world(generator: &Generator<'_>, tree: &mut ModuleTree) -> syn::Result<()> {
    for (_, item, _) in generator.items() {
        if let WorldItem::Type { id, .. } = item {
            let definition = define_located(Names::root(generator), *id)?;
            tree.add(&[], definition);
        }
    }
    Ok(())
}

fn define_located(cx: Names<'_>, id: TypeId) -> syn::Result<TokenStream> {
    let def = &cx.generator.resolve.types[id];
    define(cx, id).map_err(|e| {
        locate(
            cx.generator.resolve,
            e,
            def.name.as_deref().unwrap_or_default(),
            def.span,
        )
    })
}

fn define(cx: Names<'_>, id: TypeId) -> syn::Result<TokenStream> {
    let generator = cx.generator;
    let w = &generator.options.wharf_crate;
    let def = &generator.resolve.types[id];
    let wit_name = def.name.as_deref().unwrap_or_default();
    let name = names::type_name(wit_name);
    let docs = docs(&def.docs);
    if let Some(index) = generator.mapped_type(id) {
        let path = cx.with_path(index);
        return Ok(quote! { #docs pub type #name = #path; });
    }
    let header = quote! { #docs #[allow(missing_docs, dead_code, clippy::all, rustdoc::all)] };
    Ok(match &def.kind {
        TypeDefKind::Resource if generator.is_exported(id) => {
            quote! { #header pub type #name = #w::component::ResourceAny; }
        }
        TypeDefKind::Resource => quote! { #header #[derive(Debug)] pub enum #name {} },
        TypeDefKind::Record(record) => {
            let derives = derives(generator, id, &[]);
            let mut fields = Vec::new();
            let mut entries = Vec::new();
            for field in &record.fields {
                let docs = crate::docs::docs(&field.docs);
                let (wit, rust) = (&field.name, names::snake(&field.name));
                let ty = cx.ty(&field.ty, Mode::Owned)?;
                fields.push(quote!(#docs pub #rust: #ty));
                entries.push(quote!(#wit => #rust: #ty));
            }
            let error = error_impl(generator, id, &name);
            quote! {
                #header #derives
                pub struct #name { #(#fields,)* }
                #w::component::record!(#name { #(#entries,)* });
                #error
            }
        }
        TypeDefKind::Variant(variant) => {
            let derives = derives(generator, id, &[]);
            let mut cases = Vec::new();
            let mut entries = Vec::new();
            for case in &variant.cases {
                let docs = crate::docs::docs(&case.docs);
                let (wit, rust) = (&case.name, names::camel(&case.name));
                let payload = match &case.ty {
                    None => TokenStream::new(),
                    Some(ty) => {
                        let ty = cx.ty(ty, Mode::Owned)?;
                        quote!((#ty))
                    }
                };
                cases.push(quote!(#docs #rust #payload));
                entries.push(quote!(#wit => #rust #payload));
            }
            let error = error_impl(generator, id, &name);
            quote! {
                #header #derives
                pub enum #name { #(#cases,)* }
                #w::component::variant!(#name { #(#entries,)* });
                #error
            }
        }
        TypeDefKind::Enum(enumeration) => {
            let derives = derives(generator, id, &["PartialEq", "Eq"]);
            let mut cases = Vec::new();
            let mut entries = Vec::new();
            for case in &enumeration.cases {
                let docs = crate::docs::docs(&case.docs);
                let (wit, rust) = (&case.name, names::camel(&case.name));
                cases.push(quote!(#docs #rust));
                entries.push(quote!(#wit => #rust));
            }
            let error = error_impl(generator, id, &name);
            quote! {
                #header #derives
                pub enum #name { #(#cases,)* }
                #w::component::enumeration!(#name { #(#entries,)* });
                #error
            }
        }
        TypeDefKind::Flags(flags) => {
            let repr = flags_repr(flags)?;
            let entries = flags.flags.iter().map(|flag| {
                let docs = crate::docs::docs(&flag.docs);
                let (wit, rust) = (&flag.name, names::shouty(&flag.name));
                quote!(#docs #wit => #rust)
            });
            quote! { #w::component::flags!(#docs #name: #repr { #(#entries,)* }); }
        }
        kind => {
            let ty = match kind {
                // A second name of a resource is a second name of the Rust type, not a handle.
                TypeDefKind::Type(Type::Id(id)) => cx.type_path(*id),
                kind => cx.structure(kind, Mode::Owned)?,
            };
            quote! { #header pub type #name = #ty; }
        }
    })
}

fn flags_repr(flags: &Flags) -> syn::Result<TokenStream> {
    Ok(match flags.flags.len() {
        0..=8 => quote!(u8),
        9..=16 => quote!(u16),
        17..=32 => quote!(u32),
        n => {
            return Err(unsupported(&format!(
                "a flags type with {n} flags, more than 32,"
            )));
        }
    })
}

/// The derives of a type: what its content allows, and what the user adds.
fn derives(generator: &Generator<'_>, id: TypeId, more: &[&str]) -> TokenStream {
    let traits = generator.traits(id);
    let mut list = vec!["Debug"];
    if traits.clone {
        list.push("Clone");
    }
    if traits.copy {
        list.push("Copy");
    }
    list.extend(more);
    let added = generator.options.additional_derives.iter().filter(|path| {
        // A trait of the standard library may be asked for that is there already.
        path.segments
            .last()
            .is_none_or(|last| !list.iter().any(|have| last.ident == have))
    });
    let list = list.iter().map(|name| {
        let name = Ident::new(name, proc_macro2::Span::call_site());
        match name.to_string().as_str() {
            "Debug" => quote!(::core::fmt::Debug),
            "PartialEq" | "Eq" => quote!(::core::cmp::#name),
            "Copy" => quote!(::core::marker::Copy),
            _ => quote!(::core::clone::Clone),
        }
    });
    quote!(#[derive(#(#list,)* #(#added,)*)])
}

/// A type that functions return as their error is a Rust error too.
fn error_impl(generator: &Generator<'_>, id: TypeId, name: &Ident) -> TokenStream {
    if !generator.error_types.contains(&id) {
        return TokenStream::new();
    }
    let body = match &generator.resolve.types[id].kind {
        TypeDefKind::Enum(enumeration) => {
            let arms = enumeration.cases.iter().map(|case| {
                let (wit, rust) = (&case.name, names::camel(&case.name));
                quote!(Self::#rust => #wit)
            });
            quote!(f.write_str(match *self { #(#arms,)* }))
        }
        _ => quote!(::core::write!(f, "{self:?}")),
    };
    quote! {
        impl ::core::fmt::Display for #name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result { #body }
        }
        impl ::core::error::Error for #name {}
    }
}
