//! Rust types for WIT types.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;
use wit_parser::{Function, Handle, InterfaceId, Resolve, Span, Type, TypeDefKind, TypeId, TypeOwner};

use crate::generator::{Generator, PlacePath};
use crate::names;

/// How a value crosses: owned, or lent for the time of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Owned,
    Lent,
}

/// What a type can derive.
#[derive(Clone, Copy)]
pub(crate) struct Traits {
    pub(crate) clone: bool,
    pub(crate) copy: bool,
}

/// Writes types as they are named inside of one module.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) generator: &'a Generator<'a>,
    /// The interface that the module is for; nothing for the root.
    pub(crate) interface: Option<InterfaceId>,
    /// How many modules the module is inside of.
    pub(crate) depth: usize,
}

impl<'a> Names<'a> {
    pub(crate) fn root(generator: &'a Generator<'a>) -> Names<'a> {
        Names {
            generator,
            interface: None,
            depth: 0,
        }
    }

    pub(crate) fn module(generator: &'a Generator<'a>, interface: InterfaceId, path: &[Ident]) -> Names<'a> {
        Names {
            generator,
            interface: Some(interface),
            depth: path.len(),
        }
    }

    /// The path from the module to the root.
    fn to_root(self) -> TokenStream {
        if self.depth == 0 {
            return quote!(self::);
        }
        let supers = std::iter::repeat_n(quote!(super::), self.depth);
        quote!(#(#supers)*)
    }

    /// The path of an interface's module.
    pub(crate) fn interface_path(self, id: InterfaceId) -> TokenStream {
        let root = self.to_root();
        match self.generator.places.get(&id).map(|p| &p.path) {
            Some(PlacePath::Own(path)) => quote!(#root #(#path)::*),
            Some(PlacePath::With(index, inside)) => {
                let alias = format_ident!("__with{index}");
                quote!(#root #alias #(::#inside)*)
            }
            // Types of an interface are only reached through the world, which places all of them.
            None => root,
        }
    }

    /// The path of a named type.
    pub(crate) fn type_path(self, id: TypeId) -> TokenStream {
        let def = &self.generator.resolve.types[id];
        let name = names::type_name(def.name.as_deref().unwrap_or_default());
        match def.owner {
            TypeOwner::Interface(interface) if self.interface == Some(interface) => quote!(#name),
            TypeOwner::Interface(interface) => {
                let path = self.interface_path(interface);
                quote!(#path::#name)
            }
            TypeOwner::World(_) | TypeOwner::None => {
                let root = self.to_root();
                quote!(#root #name)
            }
        }
    }

    /// The path of the user's type behind a `with` entry.
    pub(crate) fn with_path(self, index: usize) -> TokenStream {
        let root = self.to_root();
        let alias = format_ident!("__with{index}");
        quote!(#root #alias)
    }

    /// The path of a trappable error type.
    pub(crate) fn error_path(self, index: usize) -> TokenStream {
        let root = self.to_root();
        let alias = format_ident!("__error{index}");
        quote!(#root #alias)
    }

    pub(crate) fn optional(self, ty: Option<&Type>, mode: Mode) -> syn::Result<TokenStream> {
        ty.map_or(Ok(quote!(())), |ty| self.ty(ty, mode))
    }

    pub(crate) fn ty(self, ty: &Type, mode: Mode) -> syn::Result<TokenStream> {
        Ok(match ty {
            Type::Bool => quote!(bool),
            Type::U8 => quote!(u8),
            Type::U16 => quote!(u16),
            Type::U32 => quote!(u32),
            Type::U64 => quote!(u64),
            Type::S8 => quote!(i8),
            Type::S16 => quote!(i16),
            Type::S32 => quote!(i32),
            Type::S64 => quote!(i64),
            Type::F32 => quote!(f32),
            Type::F64 => quote!(f64),
            Type::Char => quote!(char),
            Type::String if mode == Mode::Lent => quote!(&str),
            Type::String => quote!(::std::string::String),
            Type::ErrorContext => return Err(unsupported("`error-context`")),
            Type::Id(id) => return self.defined(*id, mode),
        })
    }

    fn defined(self, id: TypeId, mode: Mode) -> syn::Result<TokenStream> {
        let def = &self.generator.resolve.types[id];
        if def.name.is_some() {
            let path = self.type_path(id);
            return Ok(match mode {
                Mode::Lent if !self.generator.traits(id).copy => {
                    // Another name of a string or list is lent like the string or list.
                    match &self.generator.resolve.types[self.generator.dealias(id)].kind {
                        TypeDefKind::Type(Type::String) => quote!(&str),
                        TypeDefKind::List(element) => {
                            let element = self.ty(element, Mode::Owned)?;
                            quote!(&[#element])
                        }
                        _ => quote!(&#path),
                    }
                }
                _ => path,
            });
        }
        self.structure(&def.kind, mode)
    }

    /// A type that is written out and not named.
    pub(crate) fn structure(self, kind: &TypeDefKind, mode: Mode) -> syn::Result<TokenStream> {
        let w = &self.generator.options.wharf_crate;
        Ok(match kind {
            TypeDefKind::Type(ty) => self.ty(ty, mode)?,
            TypeDefKind::Option(ty) => {
                let ty = self.ty(ty, mode)?;
                quote!(::core::option::Option<#ty>)
            }
            TypeDefKind::Result(result) => {
                let ok = self.optional(result.ok.as_ref(), mode)?;
                let err = self.optional(result.err.as_ref(), mode)?;
                quote!(::core::result::Result<#ok, #err>)
            }
            TypeDefKind::Tuple(tuple) => {
                let types = tuple
                    .types
                    .iter()
                    .map(|ty| self.ty(ty, mode))
                    .collect::<syn::Result<Vec<_>>>()?;
                quote!((#(#types,)*))
            }
            TypeDefKind::List(ty) => {
                let ty = self.ty(ty, Mode::Owned)?;
                if mode == Mode::Lent {
                    quote!(&[#ty])
                } else {
                    quote!(::std::vec::Vec<#ty>)
                }
            }
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => {
                if self.generator.is_exported(*id) {
                    quote!(#w::component::ResourceAny)
                } else {
                    let path = self.type_path(*id);
                    quote!(#w::component::Resource<#path>)
                }
            }
            other => return Err(unsupported(&format!("a {}", other.as_str()))),
        })
    }

    /// What a function returns, without the `Result` around for traps.
    pub(crate) fn result(self, function: &Function) -> syn::Result<TokenStream> {
        self.optional(function.result.as_ref(), Mode::Owned)
    }
}

/// The error for something in WIT that bindings cannot express.
pub(crate) fn unsupported(what: &str) -> syn::Error {
    syn::Error::new(
        proc_macro2::Span::call_site(),
        format!("{what} is not supported by `bindgen!` yet"),
    )
}

/// Says where in WIT an error comes from.
pub(crate) fn locate(resolve: &Resolve, error: syn::Error, name: &str, span: Span) -> syn::Error {
    let location = resolve.render_location(span);
    syn::Error::new(error.span(), format!("{error} (`{name}` at {location})"))
}

impl Generator<'_> {
    /// Which traits the Rust type can have.
    pub(crate) fn traits(&self, id: TypeId) -> Traits {
        let mut traits = Traits {
            clone: true,
            copy: true,
        };
        self.restrict(&Type::Id(id), &mut traits);
        traits
    }

    fn restrict(&self, ty: &Type, traits: &mut Traits) {
        let id = match ty {
            Type::String => return traits.copy = false,
            Type::Id(id) => *id,
            _ => return,
        };
        match &self.resolve.types[id].kind {
            // Nothing is known about a type of the user's; resources are behind handles.
            _ if self.mapped_type(id).is_some() => {
                *traits = Traits {
                    clone: false,
                    copy: false,
                }
            }
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) if !self.is_exported(*id) => {
                *traits = Traits {
                    clone: false,
                    copy: false,
                };
            }
            TypeDefKind::Record(record) => record.fields.iter().for_each(|f| self.restrict(&f.ty, traits)),
            TypeDefKind::Tuple(tuple) => tuple.types.iter().for_each(|ty| self.restrict(ty, traits)),
            TypeDefKind::Variant(variant) => {
                variant
                    .cases
                    .iter()
                    .filter_map(|c| c.ty.as_ref())
                    .for_each(|ty| self.restrict(ty, traits));
            }
            TypeDefKind::Option(ty) | TypeDefKind::Type(ty) => self.restrict(ty, traits),
            TypeDefKind::Result(result) => {
                result
                    .ok
                    .iter()
                    .chain(&result.err)
                    .for_each(|ty| self.restrict(ty, traits));
            }
            TypeDefKind::List(ty) => {
                traits.copy = false;
                self.restrict(ty, traits);
            }
            _ => {}
        }
    }
}
