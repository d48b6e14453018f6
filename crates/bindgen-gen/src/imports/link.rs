//! The way of a host trait's functions into a linker.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

use super::host_trait::{HostTrait, Method, ResourceTrait};

/// The statements that define everything in a linker instance called `instance`.
pub(super) fn link(host: &HostTrait<'_>) -> TokenStream {
    let w = &host.cx.generator.options.wharf_crate;
    let mut tokens = TokenStream::new();
    for resource in &host.resources {
        let ResourceTrait { wit_name, name, .. } = resource;
        let path = host.cx.type_path(resource.id);
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
            tokens.extend(link_function(host, method, name));
        }
    }
    for method in &host.functions {
        tokens.extend(link_function(host, method, &host.name));
    }
    tokens
}

fn link_function(host: &HostTrait<'_>, method: &Method<'_>, trait_name: &Ident) -> TokenStream {
    let w = &host.cx.generator.options.wharf_crate;
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
            let host_trait = host.host_of_error(id);
            let convert = host.conversion_name(id);
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
