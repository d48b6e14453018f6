//! Host traits for imported interfaces, and their way into a linker.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;
use wit_parser::{Function, TypeDefKind, TypeId, WorldItem, WorldKey};

use crate::generator::{Generator, Place};
use crate::keys::Scope;
use crate::modules::ModuleTree;
use crate::names;
use crate::typedefs::docs;
use crate::types::{Mode, Names, locate, unsupported};

/// Traits and `add_to_linker` of every imported interface that `with` does not replace.
pub(crate) fn interfaces(generator: &Generator<'_>, tree: &mut ModuleTree) -> syn::Result<()> {
    for place in generator.places.values().filter(|p| !p.exported) {
        if let Some(path) = place.module() {
            let items = interface(generator, place, path)?;
            tree.add(path, items);
        }
    }
    Ok(())
}

fn interface(generator: &Generator<'_>, place: &Place, path: &[Ident]) -> syn::Result<TokenStream> {
    let w = &generator.options.wharf_crate;
    let definition = &generator.resolve.interfaces[place.id];
    let scope = Scope::of(generator.resolve, &place.key);
    let mut host = HostTrait::new(
        Names::module(generator, place.id, path),
        names::ident("Host"),
        &scope,
    );
    for id in definition.types.values() {
        host.add_resource(*id);
    }
    for function in definition.functions.values() {
        host.add_function(function)?;
    }
    host.conversions = generator.trappable_errors_of(place.id);
    let traits = host.traits(&docs(&definition.docs));
    let body = host.link();
    let wit_name = generator.resolve.name_world_key(&place.key);
    let doc = format!(
        " Adds the interface `{wit_name}` to a linker. `host_getter` gives the host out of a store's data."
    );
    Ok(quote! {
        #traits

        #[doc = #doc]
        ///
        /// # Errors
        /// If the linker has the interface already.
        pub fn add_to_linker<_T, _D>(
            linker: &mut #w::component::Linker<_T>,
            host_getter: fn(&mut _T) -> _D::Data<'_>,
        ) -> #w::Result<()>
        where
            _D: #w::component::HasData,
            for<'a> _D::Data<'a>: Host,
            _T: ::core::marker::Send + 'static,
        {
            let mut instance = linker.instance(#wit_name)?;
            #body
            ::core::result::Result::Ok(())
        }
    })
}

/// Trait and linking of what the world imports outside of interfaces; nothing if there is none.
pub(crate) fn world_imports(generator: &Generator<'_>) -> syn::Result<Option<(Ident, TokenStream)>> {
    let w = &generator.options.wharf_crate;
    let world = &generator.resolve.worlds[generator.world];
    let name = format_ident!("{}Imports", names::camel(&world.name));
    let mut host = HostTrait::new(Names::root(generator), name.clone(), &Scope::World);
    let mut any = false;
    for (key, item) in &world.imports {
        match (key, item) {
            (WorldKey::Name(_), WorldItem::Function(function)) => {
                any = true;
                host.add_function(function)?;
            }
            (_, WorldItem::Type { id, .. }) => {
                any |= host.add_resource(*id);
                host.conversions
                    .extend(generator.trappable_index(*id).map(|index| (*id, index)));
            }
            _ => {}
        }
    }
    if !any {
        return Ok(None);
    }
    let doc = format!(
        " What the host does for the functions and resources of world `{}` itself.",
        world.name
    );
    let traits = host.traits(&quote!(#[doc = #doc]));
    let body = host.link();
    let function = format_ident!("add_{}_to_linker", names::snake(&world.name));
    let tokens = quote! {
        #traits

        #[allow(missing_docs, unused, clippy::all)]
        fn #function<_T, _D>(
            linker: &mut #w::component::Linker<_T>,
            host_getter: fn(&mut _T) -> _D::Data<'_>,
        ) -> #w::Result<()>
        where
            _D: #w::component::HasData,
            for<'a> _D::Data<'a>: #name,
            _T: ::core::marker::Send + 'static,
        {
            let mut instance = linker.root();
            #body
            ::core::result::Result::Ok(())
        }
    };
    Ok(Some((function, tokens)))
}

/// A host trait in the making: functions, and a trait per resource.
struct HostTrait<'a> {
    cx: Names<'a>,
    name: Ident,
    scope: &'a Scope<'a>,
    functions: Vec<Method<'a>>,
    resources: Vec<ResourceTrait<'a>>,
    /// The trappable errors that this trait converts: WIT type and index of the Rust type.
    conversions: Vec<(TypeId, usize)>,
}

struct ResourceTrait<'a> {
    id: TypeId,
    wit_name: &'a str,
    name: Ident,
    drop_is_async: bool,
    functions: Vec<Method<'a>>,
}

/// An imported function and how it looks in Rust.
struct Method<'a> {
    function: &'a Function,
    name: Ident,
    is_async: bool,
    params: Vec<(Ident, TokenStream)>,
    result: TokenStream,
    trappable: Option<(TypeId, usize)>,
}

impl<'a> HostTrait<'a> {
    fn new(cx: Names<'a>, name: Ident, scope: &'a Scope<'a>) -> HostTrait<'a> {
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
    fn add_resource(&mut self, id: TypeId) -> bool {
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

    fn add_function(&mut self, function: &'a Function) -> syn::Result<()> {
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
    fn traits(&self, docs: &TokenStream) -> TokenStream {
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

    fn conversion_name(&self, id: TypeId) -> Ident {
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
    fn host_of_error(&self, id: TypeId) -> TokenStream {
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

    /// The statements that define everything in a linker instance called `instance`.
    fn link(&self) -> TokenStream {
        let w = &self.cx.generator.options.wharf_crate;
        let mut tokens = TokenStream::new();
        for resource in &self.resources {
            let ResourceTrait { wit_name, name, .. } = resource;
            let path = self.cx.type_path(resource.id);
            tokens.extend(if resource.drop_is_async {
                quote! {
                    instance.resource_async(
                        #wit_name,
                        #w::component::ResourceType::host::<#path>(),
                        move |mut store: #w::StoreContextMut<'_, _T>, rep: u32| {
                            ::std::boxed::Box::new(async move {
                                let mut host = host_getter(store.data_mut());
                                #name::drop(&mut host, #w::component::Resource::new_own(rep)).await
                            })
                        },
                    )?;
                }
            } else {
                quote! {
                    instance.resource(
                        #wit_name,
                        #w::component::ResourceType::host::<#path>(),
                        move |mut store: #w::StoreContextMut<'_, _T>, rep: u32| -> #w::Result<()> {
                            let mut host = host_getter(store.data_mut());
                            #name::drop(&mut host, #w::component::Resource::new_own(rep))
                        },
                    )?;
                }
            });
            for method in &resource.functions {
                tokens.extend(self.link_function(method, name));
            }
        }
        for method in &self.functions {
            tokens.extend(self.link_function(method, &self.name));
        }
        tokens
    }

    fn link_function(&self, method: &Method<'_>, trait_name: &Ident) -> TokenStream {
        let w = &self.cx.generator.options.wharf_crate;
        let wit_name = &method.function.name;
        let name = &method.name;
        let args: Vec<Ident> = (0..method.params.len())
            .map(|i| format_ident!("arg{i}"))
            .collect();
        let types = method.params.iter().map(|(_, ty)| ty);
        let call = quote!(#trait_name::#name(&mut host, #(#args,)*));
        let call = if method.is_async {
            quote!(#call.await)
        } else {
            call
        };
        let finish = match method.trappable {
            Some((id, _)) => {
                let host_trait = self.host_of_error(id);
                let convert = self.conversion_name(id);
                quote! {
                    ::core::result::Result::Ok((match result {
                        ::core::result::Result::Ok(value) => ::core::result::Result::Ok(value),
                        ::core::result::Result::Err(error) => {
                            ::core::result::Result::Err(#host_trait::#convert(&mut host, error)?)
                        }
                    },))
                }
            }
            None if method.function.result.is_some() => quote!(::core::result::Result::Ok((result?,))),
            None => quote!(result),
        };
        let body = quote! {
            let mut host = host_getter(store.data_mut());
            let result = #call;
            #finish
        };
        let closure_params = quote!(mut store: #w::StoreContextMut<'_, _T>, (#(#args,)*): (#(#types,)*));
        if method.is_async {
            quote! {
                instance.func_wrap_async(#wit_name, move |#closure_params| {
                    ::std::boxed::Box::new(async move { #body })
                })?;
            }
        } else {
            quote! { instance.func_wrap(#wit_name, move |#closure_params| { #body })?; }
        }
    }
}

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
