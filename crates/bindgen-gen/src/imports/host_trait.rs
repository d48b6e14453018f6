//! Host traits: what the host implements, one trait per interface and one per resource.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;
use wit_parser::{Function, TypeDefKind, TypeId};

use crate::docs::docs;
use crate::functions::{params, rust_name};
use crate::keys::Scope;
use crate::names;
use crate::types::{Mode, Names, locate, unsupported};

/// A host trait in the making: functions, and a trait per resource.
pub(super) struct HostTrait<'a> {
    pub(super) cx: Names<'a>,
    pub(super) name: Ident,
    pub(super) scope: &'a Scope<'a>,
    pub(super) functions: Vec<Method<'a>>,
    pub(super) resources: Vec<ResourceTrait<'a>>,
    /// The trappable errors that this trait converts: WIT type and index of the Rust type.
    pub(super) conversions: Vec<(TypeId, usize)>,
}

pub(super) struct ResourceTrait<'a> {
    pub(super) id: TypeId,
    pub(super) wit_name: &'a str,
    pub(super) name: Ident,
    pub(super) drop_is_async: bool,
    pub(super) functions: Vec<Method<'a>>,
}

/// An imported function and how it looks in Rust.
pub(super) struct Method<'a> {
    pub(super) function: &'a Function,
    pub(super) name: Ident,
    pub(super) is_async: bool,
    pub(super) params: Vec<(Ident, TokenStream)>,
    pub(super) result: TokenStream,
    pub(super) trappable: Option<(TypeId, usize)>,
}

impl<'a> HostTrait<'a> {
    pub(super) fn new(cx: Names<'a>, name: Ident, scope: &'a Scope<'a>) -> HostTrait<'a> {
        HostTrait {
            cx,
            name,
            scope,
            functions: Vec::new(),
            resources: Vec::new(),
            conversions: Vec::new(),
        }
    }

    /// Adds a trait for a type if it is a resource, and tells whether it is.
    pub(super) fn add_resource(&mut self, id: TypeId) -> bool {
        let def = &self.cx.generator.resolve.types[id];
        if !matches!(def.kind, TypeDefKind::Resource) {
            return false;
        }
        let wit_name = def.name.as_deref().unwrap_or_default();
        let flags = self
            .cx
            .generator
            .flags(self.scope, &format!("[drop]{wit_name}"), false);
        self.resources.push(ResourceTrait {
            id,
            wit_name,
            name: names::prefixed("Host", wit_name),
            drop_is_async: flags.is_async && self.names_drop(wit_name),
            functions: Vec::new(),
        });
        true
    }

    /// Whether a rule asks for this very destructor. A default that makes functions async means functions.
    fn names_drop(&self, wit_name: &str) -> bool {
        let rules = &self.cx.generator.options.imports.rules;
        let name = format!("[drop]{wit_name}");
        rules.iter().any(|r| r.flags.is_async && r.key.ends_with(&name))
    }

    pub(super) fn add_function(&mut self, function: &'a Function) -> syn::Result<()> {
        let generator = self.cx.generator;
        let method = self
            .method(function)
            .map_err(|e| locate(generator.resolve, e, &function.name, function.span))?;
        match function.kind.resource() {
            None => self.functions.push(method),
            Some(id) => match self.resources.iter_mut().find(|r| r.id == id) {
                Some(resource) => resource.functions.push(method),
                None => {
                    return Err(unsupported(&format!(
                        "function `{}` outside of its resource",
                        function.name
                    )));
                }
            },
        }
        Ok(())
    }

    fn method(&self, function: &'a Function) -> syn::Result<Method<'a>> {
        if function.kind.is_async() {
            return Err(unsupported("`async func`"));
        }
        let generator = self.cx.generator;
        let flags = generator.flags(self.scope, &function.name, false);
        let params = params(self.cx, function, Mode::Owned)?;
        let trappable = generator.trappable_error(function);
        let mut result = self.cx.result(function)?;
        if let Some((_, index)) = trappable {
            let error = self.cx.error_path(index);
            let ok = generator
                .result_parts(function.result.as_ref())
                .and_then(|(ok, _)| ok);
            let ok = self.cx.optional(ok.as_ref(), Mode::Owned)?;
            result = quote!(::core::result::Result<#ok, #error>);
        } else {
            let w = &generator.options.wharf_crate;
            result = quote!(#w::Result<#result>);
        }
        Ok(Method {
            function,
            name: rust_name(function),
            is_async: flags.is_async,
            params,
            result,
            trappable,
        })
    }

    fn any_async(&self) -> bool {
        self.functions.iter().any(|f| f.is_async)
            || self
                .resources
                .iter()
                .any(|r| r.drop_is_async || r.functions.iter().any(|f| f.is_async))
    }

    /// The traits, each with an implementation for `&mut impl Host`.
    pub(super) fn traits(&self, docs: &TokenStream) -> TokenStream {
        let mut tokens = TokenStream::new();
        let send = self.any_async().then(|| quote!(::core::marker::Send));
        let and_send = send.as_ref().map(|send| quote!(+ #send));
        for resource in &self.resources {
            let (declarations, forwards) = self.resource_functions(resource);
            let name = &resource.name;
            let doc = format!(" What the host does for resource `{}`.", resource.wit_name);
            tokens.extend(quote! {
                #[doc = #doc]
                #[allow(missing_docs, clippy::all, rustdoc::all)]
                pub trait #name: #send { #declarations }

                impl<_T: #name + ?::core::marker::Sized #and_send> #name for &mut _T { #forwards }
            });
        }

        let mut supertraits: Vec<TokenStream> = send.iter().cloned().collect();
        supertraits.extend(self.resources.iter().map(|r| {
            let name = &r.name;
            quote!(#name)
        }));
        for error in self.foreign_errors() {
            let host = self.host_of_error(error);
            supertraits.push(host);
        }
        let mut declarations = TokenStream::new();
        let mut forwards = TokenStream::new();
        let name = &self.name;
        for method in &self.functions {
            declarations.extend(self.declaration(method));
            forwards.extend(self.forward(method, name));
        }
        for (id, index) in &self.conversions {
            let (declaration, forward) = self.conversion(*id, *index);
            declarations.extend(declaration);
            forwards.extend(forward);
        }
        tokens.extend(quote! {
            #docs
            #[allow(missing_docs, clippy::all, rustdoc::all)]
            pub trait #name: #(#supertraits)+* { #declarations }

            impl<_T: #name + ?::core::marker::Sized #and_send> #name for &mut _T { #forwards }
        });
        tokens
    }

    fn resource_functions(&self, resource: &ResourceTrait<'_>) -> (TokenStream, TokenStream) {
        let w = &self.cx.generator.options.wharf_crate;
        let name = &resource.name;
        let path = self.cx.type_path(resource.id);
        let mut declarations = TokenStream::new();
        let mut forwards = TokenStream::new();
        for method in &resource.functions {
            declarations.extend(self.declaration(method));
            forwards.extend(self.forward(method, name));
        }
        let doc = " Called when the guest drops its last handle.";
        if resource.drop_is_async {
            declarations.extend(quote! {
                #[doc = #doc]
                fn drop(&mut self, rep: #w::component::Resource<#path>)
                    -> impl ::core::future::Future<Output = #w::Result<()>> + ::core::marker::Send;
            });
            forwards.extend(quote! {
                async fn drop(&mut self, rep: #w::component::Resource<#path>) -> #w::Result<()> {
                    #name::drop(*self, rep).await
                }
            });
        } else {
            declarations.extend(quote! {
                #[doc = #doc]
                fn drop(&mut self, rep: #w::component::Resource<#path>) -> #w::Result<()>;
            });
            forwards.extend(quote! {
                fn drop(&mut self, rep: #w::component::Resource<#path>) -> #w::Result<()> {
                    #name::drop(*self, rep)
                }
            });
        }
        (declarations, forwards)
    }

    fn declaration(&self, method: &Method<'_>) -> TokenStream {
        let Method { name, result, .. } = method;
        let docs = docs(&method.function.docs);
        let params = method.params.iter().map(|(name, ty)| quote!(#name: #ty));
        let output = if method.is_async {
            quote!(impl ::core::future::Future<Output = #result> + ::core::marker::Send)
        } else {
            result.clone()
        };
        quote! { #docs fn #name(&mut self, #(#params,)*) -> #output; }
    }

    fn forward(&self, method: &Method<'_>, trait_name: &Ident) -> TokenStream {
        let Method { name, result, .. } = method;
        let params = method.params.iter().map(|(name, ty)| quote!(#name: #ty));
        let args = method.params.iter().map(|(name, _)| name);
        let call = quote!(#trait_name::#name(*self, #(#args,)*));
        if method.is_async {
            quote! { async fn #name(&mut self, #(#params,)*) -> #result { #call.await } }
        } else {
            quote! { fn #name(&mut self, #(#params,)*) -> #result { #call } }
        }
    }

    fn conversion(&self, id: TypeId, index: usize) -> (TokenStream, TokenStream) {
        let w = &self.cx.generator.options.wharf_crate;
        let name = &self.name;
        let function = self.conversion_name(id);
        let error = self.cx.error_path(index);
        let wit = self.cx.type_path(id);
        let wit_name = self.cx.generator.resolve.types[id]
            .name
            .as_deref()
            .unwrap_or_default();
        let doc = format!(" Makes the WIT `{wit_name}` of a host function's error; an `Err` here traps.");
        (
            quote! { #[doc = #doc] fn #function(&mut self, error: #error) -> #w::Result<#wit>; },
            quote! {
                fn #function(&mut self, error: #error) -> #w::Result<#wit> { #name::#function(*self, error) }
            },
        )
    }

    pub(super) fn conversion_name(&self, id: TypeId) -> Ident {
        let wit_name = self.cx.generator.resolve.types[id]
            .name
            .as_deref()
            .unwrap_or_default();
        format_ident!("convert_{}", names::snake(wit_name))
    }

    /// Trappable errors that functions here return and another interface defines.
    fn foreign_errors(&self) -> Vec<TypeId> {
        let resources = self.resources.iter().flat_map(|r| &r.functions);
        let mut found: Vec<TypeId> = Vec::new();
        for (id, _) in self.functions.iter().chain(resources).filter_map(|m| m.trappable) {
            let own = self.conversions.iter().any(|(own, _)| *own == id);
            let known = found.iter().any(|f| self.owner(*f) == self.owner(id));
            if !own && !known {
                found.push(id);
            }
        }
        found
    }

    fn owner(&self, id: TypeId) -> wit_parser::TypeOwner {
        self.cx.generator.resolve.types[id].owner
    }

    /// The trait that converts a trappable error.
    pub(super) fn host_of_error(&self, id: TypeId) -> TokenStream {
        match self.owner(id) {
            wit_parser::TypeOwner::Interface(interface) if self.cx.interface == Some(interface) => {
                quote!(Host)
            }
            wit_parser::TypeOwner::Interface(interface) => {
                let path = self.cx.interface_path(interface);
                quote!(#path::Host)
            }
            _ => {
                let name = &self.name;
                quote!(#name)
            }
        }
    }
}
