//! Typed access to what a component exports.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;
use wit_parser::{Function, TypeDefKind, TypeId, WorldItem, WorldKey};

use crate::docs::docs;
use crate::functions::{params, rust_name};
use crate::generator::{Generator, Place};
use crate::keys::Scope;
use crate::modules::ModuleTree;
use crate::names;
use crate::types::{Mode, Names, locate, unsupported};

/// The struct `Guest` of every exported interface.
pub(crate) fn interfaces(generator: &Generator<'_>, tree: &mut ModuleTree) -> syn::Result<()> {
    for place in generator.places.values().filter(|p| p.exported) {
        if let Some(path) = place.module() {
            let items = interface(generator, place, path)?;
            tree.add(path, items);
        }
    }
    Ok(())
}

fn interface(generator: &Generator<'_>, place: &Place, path: &[Ident]) -> syn::Result<TokenStream> {
    let w = &generator.options.wharf_crate;
    let cx = Names::module(generator, place.id, path);
    let definition = &generator.resolve.interfaces[place.id];
    let scope = Scope::of(generator.resolve, &place.key);
    let wit_name = generator.resolve.name_world_key(&place.key);

    let mut exported = Exported::new(quote!(::core::option::Option::Some(&parent)));
    let mut plain = TokenStream::new();
    let mut resources: Vec<(TypeId, TokenStream)> = Vec::new();
    for id in definition.types.values() {
        if matches!(generator.resolve.types[*id].kind, TypeDefKind::Resource) {
            resources.push((*id, TokenStream::new()));
        }
    }
    for function in definition.functions.values() {
        let field = exported.add(cx, function)?;
        match function.kind.resource() {
            None => plain.extend(call(cx, &scope, function, &quote!(self.#field))?),
            Some(resource) => {
                let method = call(cx, &scope, function, &quote!(self.guest.#field))?;
                match resources.iter_mut().find(|(id, _)| *id == resource) {
                    Some((_, methods)) => methods.extend(method),
                    None => {
                        return Err(unsupported(&format!(
                            "function `{}` outside of its resource",
                            function.name
                        )));
                    }
                }
            }
        }
    }

    let mut accessors = TokenStream::new();
    let mut structs = TokenStream::new();
    for (id, methods) in resources {
        let resource = generator.resolve.types[id].name.as_deref().unwrap_or_default();
        let name = names::prefixed("Guest", resource);
        let accessor = names::snake(resource);
        let doc = format!(" The functions of resource `{resource}`.");
        accessors.extend(quote! {
            #[doc = #doc]
            pub fn #accessor(&self) -> #name<'_> { #name { guest: self } }
        });
        structs.extend(quote! {
            #[doc = #doc]
            #[derive(Clone, Copy)]
            pub struct #name<'a> { guest: &'a Guest }
            impl #name<'_> { #methods }
        });
    }

    let Exported { fields, lookups, .. } = exported;
    let docs = docs(&definition.docs);
    let missing = format!("the component exports no instance `{wit_name}`");
    Ok(quote! {
        #docs
        #[derive(Clone)]
        pub struct Guest { #(#fields: #w::component::Func,)* }

        impl Guest {
            /// Looks the functions up in an instance.
            ///
            /// # Errors
            /// If the instance does not export the interface, or a function of it is missing or has another type.
            pub fn new(
                mut store: impl #w::AsContextMut,
                instance: &#w::component::Instance,
            ) -> #w::Result<Guest> {
                let mut store = #w::AsContextMut::as_context_mut(&mut store);
                let parent = instance
                    .get_export_index(&mut store, ::core::option::Option::None, #wit_name)
                    .ok_or_else(|| #w::Error::link(#missing))?;
                ::core::result::Result::Ok(Guest { #(#lookups,)* })
            }

            #accessors
            #plain
        }

        #structs
    })
}

/// Functions as fields of a struct, and how each is found.
pub(crate) struct Exported {
    /// The expression for the index of the interface.
    parent: TokenStream,
    pub(crate) fields: Vec<Ident>,
    /// `field: expression`, with `store` and `instance` in scope.
    pub(crate) lookups: Vec<TokenStream>,
}

impl Exported {
    fn new(parent: TokenStream) -> Exported {
        Exported {
            parent,
            fields: Vec::new(),
            lookups: Vec::new(),
        }
    }

    /// Adds a function and gives the name of its field.
    pub(crate) fn add(&mut self, cx: Names<'_>, function: &Function) -> syn::Result<Ident> {
        let generator = cx.generator;
        let at = |e| locate(generator.resolve, e, &function.name, function.span);
        let w = &generator.options.wharf_crate;
        let field = format_ident!("func{}", self.fields.len());
        let (name, parent) = (&function.name, &self.parent);
        let types: Vec<TokenStream> = params(cx, function, Mode::Owned)
            .map_err(at)?
            .into_iter()
            .map(|(_, ty)| ty)
            .collect();
        let result = returned(cx, function).map_err(at)?;
        let missing = format!("the component exports no function `{name}`");
        self.lookups.push(quote! {
            #field: {
                let index = instance
                    .get_export_index(&mut store, #parent, #name)
                    .ok_or_else(|| #w::Error::link(#missing))?;
                *instance.get_typed_func::<(#(#types,)*), #result>(&mut store, &index)?.func()
            }
        });
        self.fields.push(field.clone());
        Ok(field)
    }
}

/// The functions that the world exports outside of interfaces: fields and methods.
pub(crate) fn world_functions(generator: &Generator<'_>) -> syn::Result<(Exported, TokenStream)> {
    let cx = Names::root(generator);
    let mut exported = Exported::new(quote!(::core::option::Option::None));
    let mut methods = TokenStream::new();
    for (key, item) in &generator.resolve.worlds[generator.world].exports {
        if let (WorldKey::Name(_), WorldItem::Function(function)) = (key, item) {
            let field = exported.add(cx, function)?;
            methods.extend(call(cx, &Scope::World, function, &quote!(self.#field))?);
        }
    }
    Ok((exported, methods))
}

/// The results of a typed function: a tuple with one type or none.
fn returned(cx: Names<'_>, function: &Function) -> syn::Result<TokenStream> {
    let result = cx.result(function)?;
    Ok(if function.result.is_some() {
        quote!((#result,))
    } else {
        quote!(())
    })
}

fn call(
    cx: Names<'_>,
    scope: &Scope<'_>,
    function: &Function,
    callee: &TokenStream,
) -> syn::Result<TokenStream> {
    let generator = cx.generator;
    let at = |e| locate(generator.resolve, e, &function.name, function.span);
    if function.kind.is_async() {
        return Err(at(unsupported("`async func`")));
    }
    let w = &generator.options.wharf_crate;
    let flags = generator.flags(scope, &function.name, true);
    let name = match function.kind {
        wit_parser::FunctionKind::Constructor(_) => names::ident("call_constructor"),
        _ => names::prefixed_snake("call", rust_name(function).to_string().trim_end_matches('_')),
    };
    let params = params(cx, function, Mode::Lent).map_err(at)?;
    let types: Vec<&TokenStream> = params.iter().map(|(_, ty)| ty).collect();
    let names: Vec<Ident> = params
        .iter()
        .map(|(name, _)| {
            if name == "store" {
                format_ident!("store_")
            } else {
                name.clone()
            }
        })
        .collect();
    let result = cx.result(function).map_err(at)?;
    let returned = returned(cx, function).map_err(at)?;
    let docs = docs(&function.docs);
    let (call, wait) = if flags.is_async {
        (quote!(call_async), quote!(.await))
    } else {
        (quote!(call), quote!())
    };
    let asyncness = flags.is_async.then(|| quote!(async));
    // The types were checked when the function was looked up; lent parameters have the same WIT type as owned ones.
    let call = quote! {
        #w::component::TypedFunc::<(#(#types,)*), #returned>::new_unchecked(#callee).#call(
            #w::AsContextMut::as_context_mut(&mut store),
            (#(#names,)*),
        )#wait
    };
    let body = if function.result.is_some() {
        quote!(let (_result,) = #call?; ::core::result::Result::Ok(_result))
    } else {
        call
    };
    Ok(quote! {
        #docs
        ///
        /// # Errors
        /// If the call traps or a limit is met.
        pub #asyncness fn #name<_S: #w::AsContextMut>(
            &self,
            mut store: _S,
            #(#names: #types,)*
        ) -> #w::Result<#result> {
            #body
        }
    })
}
