//! Host traits for imported interfaces, and their way into a linker.

mod host_trait;
mod link;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;
use wit_parser::{WorldItem, WorldKey};

use self::host_trait::HostTrait;
use self::link::link;
use crate::docs::docs;
use crate::generator::{Generator, Place};
use crate::keys::Scope;
use crate::modules::ModuleTree;
use crate::names;
use crate::types::Names;

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
    let body = link(&host);
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
    let body = link(&host);
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
