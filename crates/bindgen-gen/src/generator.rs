//! What all parts of the generator share: the world, where each interface goes, and which options were used.

use std::collections::{HashMap, HashSet};

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;
use wit_parser::{
    Function, InterfaceId, PackageName, Resolve, Type, TypeDefKind, TypeId, TypeOwner, WorldId, WorldItem,
    WorldKey,
};

use crate::keys::{Level, Scope};
use crate::names;
use crate::options::{FunctionFlags, FunctionRules, Mapping, Options};
use crate::used::{Kind, UsedKeys};

/// The world with its options.
pub(crate) struct Generator<'a> {
    pub(crate) resolve: &'a Resolve,
    pub(crate) world: WorldId,
    pub(crate) options: &'a Options,
    /// Each interface of the world, imports first.
    pub(crate) places: indexmap::IndexMap<InterfaceId, Place>,
    /// Types that some function returns as its error.
    pub(crate) error_types: HashSet<TypeId>,
    /// `with` keys for types, resolved.
    mapped_types: HashMap<TypeId, usize>,
    /// `trappable_error_type` keys, resolved.
    trappable: HashMap<TypeId, usize>,
    /// The entries of the options that named something.
    pub(crate) used: UsedKeys,
}

/// Where the bindings of an interface are.
pub(crate) struct Place {
    pub(crate) id: InterfaceId,
    pub(crate) key: WorldKey,
    pub(crate) exported: bool,
    pub(crate) path: PlacePath,
}

pub(crate) enum PlacePath {
    /// A module of the output.
    Own(Vec<Ident>),
    /// A module of the user's: the index of the `with` entry and the path inside.
    With(usize, Vec<Ident>),
}

impl Place {
    /// The module of the output; nothing for an interface that `with` replaces.
    pub(crate) fn module(&self) -> Option<&[Ident]> {
        match &self.path {
            PlacePath::Own(path) => Some(path),
            PlacePath::With(..) => None,
        }
    }
}

impl<'a> Generator<'a> {
    pub(crate) fn new(
        resolve: &'a Resolve,
        world: WorldId,
        options: &'a Options,
    ) -> syn::Result<Generator<'a>> {
        let mut generator = Generator {
            resolve,
            world,
            options,
            places: Default::default(),
            error_types: HashSet::new(),
            mapped_types: HashMap::new(),
            trappable: HashMap::new(),
            used: UsedKeys::default(),
        };
        generator.place_interfaces();
        generator.map_types()?;
        generator.find_errors();
        Ok(generator)
    }

    /// The world's items: key, item, whether it is an export.
    pub(crate) fn items(&self) -> impl Iterator<Item = (&'a WorldKey, &'a WorldItem, bool)> + use<'a> {
        let world = &self.resolve.worlds[self.world];
        let imports = world.imports.iter().map(|(key, item)| (key, item, false));
        imports.chain(world.exports.iter().map(|(key, item)| (key, item, true)))
    }

    fn place_interfaces(&mut self) {
        let several_versions = self.several_versions();
        for (key, item, exported) in self.items() {
            let WorldItem::Interface { id, .. } = item else {
                continue;
            };
            let mapping = if exported {
                None
            } else {
                self.interface_mapping(key)
            };
            let path = match mapping {
                Some((index, inside)) => PlacePath::With(index, inside),
                None => {
                    let mut path = Vec::new();
                    if exported {
                        path.push(names::ident("exports"));
                    }
                    path.extend(self.module_path(key, &several_versions));
                    PlacePath::Own(path)
                }
            };
            self.places.insert(
                *id,
                Place {
                    id: *id,
                    key: key.clone(),
                    exported,
                    path,
                },
            );
        }
    }

    /// The names of packages that the world uses in more than one version.
    fn several_versions(&self) -> HashSet<(&'a str, &'a str)> {
        let mut packages: HashMap<(&str, &str), HashSet<&PackageName>> = HashMap::new();
        for (key, _, _) in self.items() {
            if let Some(name) = self.package_of(key) {
                packages
                    .entry((&name.namespace, &name.name))
                    .or_default()
                    .insert(name);
            }
        }
        packages
            .into_iter()
            .filter(|(_, versions)| versions.len() > 1)
            .map(|(name, _)| name)
            .collect()
    }

    fn package_of(&self, key: &WorldKey) -> Option<&'a PackageName> {
        match key {
            WorldKey::Name(_) => None,
            WorldKey::Interface(id) => self.resolve.interfaces[*id]
                .package
                .map(|p| &self.resolve.packages[p].name),
        }
    }

    fn module_path(&self, key: &WorldKey, several_versions: &HashSet<(&str, &str)>) -> Vec<Ident> {
        let (WorldKey::Interface(id), Some(package)) = (key, self.package_of(key)) else {
            return vec![names::snake(&self.resolve.name_world_key(key))];
        };
        let mut name = package.name.clone();
        if let Some(version) = &package.version
            && several_versions.contains(&(package.namespace.as_str(), package.name.as_str()))
        {
            // As text, so that the case conversion keeps the digits apart.
            let version = version.to_string().replace(['.', '-', '+'], "_");
            name = format!("{}{version}", names::snake(&name))
                .trim_end_matches('_')
                .to_owned();
            let module = names::ident(&name);
            let interface = self.resolve.interfaces[*id].name.as_deref().unwrap_or_default();
            return vec![names::snake(&package.namespace), module, names::snake(interface)];
        }
        let interface = self.resolve.interfaces[*id].name.as_deref().unwrap_or_default();
        vec![
            names::snake(&package.namespace),
            names::snake(&name),
            names::snake(interface),
        ]
    }

    /// The `with` entry that stands for a whole imported interface, and the path inside of its module.
    fn interface_mapping(&self, key: &WorldKey) -> Option<(usize, Vec<Ident>)> {
        let scope = Scope::of(self.resolve, key);
        let mut best: Option<(usize, Level)> = None;
        for (index, mapping) in self.options.with.iter().enumerate() {
            let Some(level) = scope.matches(&mapping.key, None) else {
                continue;
            };
            self.used.mark(Kind::With, index);
            let closer = |(_, found): (usize, Level)| (level as u8) < (found as u8);
            if best.is_none_or(closer) {
                best = Some((index, level));
            }
        }
        let (index, level) = best?;
        let interface = match key {
            WorldKey::Name(name) => names::snake(name),
            WorldKey::Interface(id) => {
                names::snake(self.resolve.interfaces[*id].name.as_deref().unwrap_or_default())
            }
        };
        let package = self.package_of(key).map(|p| names::snake(&p.name));
        let inside = match level {
            Level::Item | Level::Interface => Vec::new(),
            Level::Package => vec![interface],
            Level::Namespace => package.into_iter().chain([interface]).collect(),
        };
        Some((index, inside))
    }

    fn map_types(&mut self) -> syn::Result<()> {
        let mut mapped = HashMap::new();
        let mut trappable = HashMap::new();
        for place in self.places.values() {
            let scope = Scope::of(self.resolve, &place.key);
            for (name, &id) in &self.resolve.interfaces[place.id].types {
                self.map_type(&scope, name, id, place.exported, &mut mapped, &mut trappable)?;
            }
        }
        for (key, item, _) in self.items() {
            if let (WorldItem::Type { id, .. }, WorldKey::Name(name)) = (item, key) {
                self.map_type(&Scope::World, name, *id, false, &mut mapped, &mut trappable)?;
            }
        }
        self.mapped_types = mapped;
        self.trappable = trappable;
        Ok(())
    }

    fn map_type(
        &self,
        scope: &Scope<'_>,
        name: &str,
        id: TypeId,
        exported: bool,
        mapped: &mut HashMap<TypeId, usize>,
        trappable: &mut HashMap<TypeId, usize>,
    ) -> syn::Result<()> {
        let find = |list: &[Mapping], kind| {
            let found = list
                .iter()
                .position(|m| scope.matches(&m.key, Some(name)) == Some(Level::Item));
            if let Some(index) = found {
                self.used.mark(kind, index);
            }
            found
        };
        if exported {
            return Ok(());
        }
        if let Some(index) = find(&self.options.with, Kind::With) {
            let is_alias = self.dealias(id) != id;
            if is_alias {
                let mapping = &self.options.with[index];
                let message = format!(
                    "`{}` is another name of a type; give the type itself",
                    mapping.key
                );
                return Err(syn::Error::new(mapping.span, message));
            }
            mapped.insert(id, index);
        }
        if let Some(index) = find(&self.options.trappable_error_types, Kind::Trappable) {
            trappable.insert(self.dealias(id), index);
        }
        Ok(())
    }

    fn find_errors(&mut self) {
        let mut errors = HashSet::new();
        for (_, item, _) in self.items() {
            let functions: Vec<&Function> = match item {
                WorldItem::Interface { id, .. } => self.resolve.interfaces[*id].functions.values().collect(),
                WorldItem::Function(function) => vec![function],
                WorldItem::Type { .. } => Vec::new(),
            };
            for function in functions {
                if let Some((_, Some(Type::Id(id)))) = self.result_parts(function.result.as_ref()) {
                    errors.insert(self.dealias(id));
                }
            }
        }
        self.error_types = errors;
    }

    /// The two sides, if the type is a `result`.
    pub(crate) fn result_parts(&self, ty: Option<&Type>) -> Option<(Option<Type>, Option<Type>)> {
        let Some(Type::Id(id)) = ty else { return None };
        match &self.resolve.types[self.dealias(*id)].kind {
            TypeDefKind::Result(result) => Some((result.ok, result.err)),
            _ => None,
        }
    }

    /// The type behind other names.
    pub(crate) fn dealias(&self, mut id: TypeId) -> TypeId {
        while let TypeDefKind::Type(Type::Id(next)) = self.resolve.types[id].kind {
            id = next;
        }
        id
    }

    /// The trappable error that stands for a function's error type: the type's id and the index in the option.
    pub(crate) fn trappable_error(&self, function: &Function) -> Option<(TypeId, usize)> {
        let (_, error) = self.result_parts(function.result.as_ref())?;
        let Some(Type::Id(id)) = error else { return None };
        let id = self.dealias(id);
        self.trappable.get(&id).map(|index| (id, *index))
    }

    /// The trappable errors whose WIT type an interface defines.
    pub(crate) fn trappable_errors_of(&self, interface: InterfaceId) -> Vec<(TypeId, usize)> {
        let types = self.resolve.interfaces[interface].types.values();
        types
            .filter_map(|id| self.trappable_index(*id).map(|index| (*id, index)))
            .collect()
    }

    /// The trappable error for a WIT type, given the type's definition.
    pub(crate) fn trappable_index(&self, id: TypeId) -> Option<usize> {
        self.trappable.get(&id).copied()
    }

    pub(crate) fn mapped_type(&self, id: TypeId) -> Option<usize> {
        self.mapped_types.get(&id).copied()
    }

    /// Whether a resource belongs to a guest.
    pub(crate) fn is_exported(&self, id: TypeId) -> bool {
        match self.resolve.types[self.dealias(id)].owner {
            TypeOwner::Interface(interface) => self.places.get(&interface).is_some_and(|p| p.exported),
            TypeOwner::World(_) | TypeOwner::None => false,
        }
    }

    /// The flags of a function. The name is the one that WIT tools give it, as in `[method]pollable.block`.
    pub(crate) fn flags(&self, scope: &Scope<'_>, name: &str, exported: bool) -> FunctionFlags {
        let (rules, kind): (&FunctionRules, _) = if exported {
            (&self.options.exports, Kind::Export)
        } else {
            (&self.options.imports, Kind::Import)
        };
        for (index, rule) in rules.rules.iter().enumerate() {
            match scope.matches(&rule.key, Some(name)) {
                Some(Level::Item) => {}
                Some(_) if !rule.flags.exact => {}
                _ => continue,
            }
            self.used.mark(kind, index);
            return rule.flags;
        }
        rules.default
    }

    /// The private names at the root by which the generated modules reach the user's types and modules. A path is
    /// relative to where the macro is called, which only the root can see.
    pub(crate) fn aliases(&self) -> TokenStream {
        let mut tokens = TokenStream::new();
        let module_mappings: HashSet<usize> = self
            .places
            .values()
            .filter_map(|place| match place.path {
                PlacePath::With(index, _) => Some(index),
                PlacePath::Own(_) => None,
            })
            .collect();
        for (index, mapping) in self.options.with.iter().enumerate() {
            let ty = &mapping.ty;
            let name = format_ident!("__with{index}");
            tokens.extend(if module_mappings.contains(&index) {
                quote! { #[allow(unused_imports)] use #ty as #name; }
            } else {
                quote! { #[allow(non_camel_case_types, dead_code)] type #name = #ty; }
            });
        }
        for (index, mapping) in self.options.trappable_error_types.iter().enumerate() {
            let ty = &mapping.ty;
            let name = format_ident!("__error{index}");
            tokens.extend(quote! { #[allow(non_camel_case_types, dead_code)] type #name = #ty; });
        }
        tokens
    }
}
