//! The struct of the world: all imports at once, all exports at once.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;
use wit_parser::WorldKey;

use crate::docs::docs;
use crate::exports;
use crate::generator::{Generator, Place};
use crate::imports;
use crate::modules::ModuleTree;
use crate::names;
use crate::types::Names;

/// The world's struct, its `Pre` form, and the trait for what the world imports outside of interfaces.
pub(crate) fn world(generator: &Generator<'_>, tree: &mut ModuleTree) -> syn::Result<()> {
    let w = &generator.options.wharf_crate;
    let world = &generator.resolve.worlds[generator.world];
    let name = names::camel(&world.name);
    let pre = format_ident!("{name}Pre");
    let docs = docs(&world.docs);

    let (functions, methods) = exports::world_functions(generator)?;
    let (fields, lookups) = (&functions.fields, &functions.lookups);
    let mut interface_fields = Vec::new();
    let mut interface_types = Vec::new();
    let mut accessors = TokenStream::new();
    for (index, place) in generator.places.values().filter(|p| p.exported).enumerate() {
        let field = format_ident!("interface{index}");
        let path = Names::root(generator).interface_path(place.id);
        let accessor = accessor(place);
        let doc = format!(
            " The exported interface `{}`.",
            generator.resolve.name_world_key(&place.key)
        );
        accessors.extend(quote! {
            #[doc = #doc]
            pub fn #accessor(&self) -> &#path::Guest { &self.#field }
        });
        interface_types.push(quote!(#path::Guest));
        interface_fields.push(field);
    }

    let world_imports = imports::world_imports(generator)?;
    let add_to_linker = add_to_linker(generator, world_imports.as_ref().map(|(function, _)| function));
    let world_imports = world_imports.map(|(_, tokens)| tokens);

    let allow = quote!(#[allow(missing_docs, unused, clippy::all, rustdoc::all)]);
    tree.add(
        &[],
        quote! {
            #world_imports

            #docs
            #[derive(Clone)]
            #allow
            pub struct #name {
                #(#interface_fields: #interface_types,)*
                #(#fields: #w::component::Func,)*
            }

            #allow
            impl #name {
                /// Looks the world's exports up in an instance.
                ///
                /// # Errors
                /// If an export is missing or has another type.
                pub fn new(
                    mut store: impl #w::AsContextMut,
                    instance: &#w::component::Instance,
                ) -> #w::Result<Self> {
                    let mut store = #w::AsContextMut::as_context_mut(&mut store);
                    ::core::result::Result::Ok(Self {
                        #(#interface_fields: #interface_types::new(&mut store, instance)?,)*
                        #(#lookups,)*
                    })
                }

                /// Instantiates a component and looks the world's exports up.
                ///
                /// # Errors
                /// If an import is missing, instantiation traps, or an export is missing or has another type.
                pub fn instantiate<_T: ::core::marker::Send + 'static>(
                    mut store: impl #w::AsContextMut<Data = _T>,
                    component: &#w::component::Component,
                    linker: &#w::component::Linker<_T>,
                ) -> #w::Result<Self> {
                    let instance = linker.instantiate(#w::AsContextMut::as_context_mut(&mut store), component)?;
                    Self::new(&mut store, &instance)
                }

                /// Like `instantiate`, for hosts that wait without blocking their thread.
                ///
                /// # Errors
                /// As for `instantiate`.
                pub async fn instantiate_async<_T: ::core::marker::Send + 'static>(
                    mut store: impl #w::AsContextMut<Data = _T>,
                    component: &#w::component::Component,
                    linker: &#w::component::Linker<_T>,
                ) -> #w::Result<Self> {
                    let instance = linker.instantiate_async(#w::AsContextMut::as_context_mut(&mut store), component).await?;
                    Self::new(&mut store, &instance)
                }

                #add_to_linker
                #accessors
                #methods
            }

            /// A component whose imports are resolved, ready to be instantiated many times.
            #allow
            pub struct #pre<_T: ::core::marker::Send + 'static> {
                instance_pre: #w::component::InstancePre<_T>,
            }

            impl<_T: ::core::marker::Send + 'static> ::core::clone::Clone for #pre<_T> {
                fn clone(&self) -> Self {
                    Self { instance_pre: ::core::clone::Clone::clone(&self.instance_pre) }
                }
            }

            #allow
            impl<_T: ::core::marker::Send + 'static> #pre<_T> {
                /// Takes a component with resolved imports, as `Linker::instantiate_pre` gives it.
                ///
                /// # Errors
                /// None at present: a missing export is found when instantiating.
                pub fn new(instance_pre: #w::component::InstancePre<_T>) -> #w::Result<Self> {
                    ::core::result::Result::Ok(Self { instance_pre })
                }

                /// The component with resolved imports.
                pub fn instance_pre(&self) -> &#w::component::InstancePre<_T> {
                    &self.instance_pre
                }

                /// Instantiates the component and looks the world's exports up.
                ///
                /// # Errors
                /// If instantiation traps, or an export is missing or has another type.
                pub fn instantiate(
                    &self,
                    mut store: impl #w::AsContextMut<Data = _T>,
                ) -> #w::Result<#name> {
                    let instance = self.instance_pre.instantiate(#w::AsContextMut::as_context_mut(&mut store))?;
                    #name::new(&mut store, &instance)
                }

                /// Like `instantiate`, for hosts that wait without blocking their thread.
                ///
                /// # Errors
                /// As for `instantiate`.
                pub async fn instantiate_async(
                    &self,
                    mut store: impl #w::AsContextMut<Data = _T>,
                ) -> #w::Result<#name> {
                    let instance = self.instance_pre.instantiate_async(#w::AsContextMut::as_context_mut(&mut store)).await?;
                    #name::new(&mut store, &instance)
                }
            }
        },
    );
    Ok(())
}

/// The world's function that adds all imports; nothing if there are none.
fn add_to_linker(generator: &Generator<'_>, world_imports: Option<&Ident>) -> Option<TokenStream> {
    let w = &generator.options.wharf_crate;
    let cx = Names::root(generator);
    let mut hosts = Vec::new();
    let mut calls = Vec::new();
    if let Some(function) = world_imports {
        let name = format_ident!(
            "{}Imports",
            names::camel(&generator.resolve.worlds[generator.world].name)
        );
        hosts.push(quote!(#name));
        calls.push(quote!(self::#function::<_T, _D>));
    }
    for place in generator
        .places
        .values()
        .filter(|p| !p.exported && p.module().is_some())
    {
        let path = cx.interface_path(place.id);
        hosts.push(quote!(#path::Host));
        calls.push(quote!(#path::add_to_linker::<_T, _D>));
    }
    if hosts.is_empty() {
        return None;
    }
    Some(quote! {
        /// Adds all imports of the world to a linker, save those that `with` took from elsewhere. `host_getter`
        /// gives the host out of a store's data.
        ///
        /// # Errors
        /// If the linker has one of them already.
        pub fn add_to_linker<_T, _D>(
            linker: &mut #w::component::Linker<_T>,
            host_getter: fn(&mut _T) -> _D::Data<'_>,
        ) -> #w::Result<()>
        where
            _D: #w::component::HasData,
            for<'a> _D::Data<'a>: #(#hosts)+*,
            _T: ::core::marker::Send + 'static,
        {
            #(#calls(linker, host_getter)?;)*
            ::core::result::Result::Ok(())
        }
    })
}

/// `wasi_cli_run` for `wasi:cli/run`, `foo` for an interface that the world declares in place.
fn accessor(place: &Place) -> Ident {
    match &place.key {
        WorldKey::Name(name) => names::snake(name),
        WorldKey::Interface(_) => {
            // The first part of the path is `exports`.
            let path = place.module().unwrap_or_default();
            let parts: Vec<String> = path
                .iter()
                .skip(1)
                .map(|part| part.to_string().trim_end_matches('_').to_owned())
                .collect();
            names::ident(&parts.join("_"))
        }
    }
}
