//! The interned value types of one component, each with its memory and flat layout.

use std::collections::HashMap;

use super::def::{FuncTypeDef, FuncTypeIndex, PRIMITIVES, TypeDef, TypeIndex, TypeNode};
use crate::abi::CanonicalAbi;

/// All the types of one component.
#[derive(Debug)]
pub struct TypeArena {
    nodes: Vec<TypeNode>,
    funcs: Vec<FuncTypeDef>,
    interned: HashMap<TypeDef, TypeIndex>,
    #[allow(clippy::type_complexity)]
    interned_funcs: HashMap<(Box<[(Box<str>, TypeIndex)]>, Option<TypeIndex>, bool), FuncTypeIndex>,
}

impl Default for TypeArena {
    fn default() -> Self {
        let mut arena = TypeArena {
            nodes: Vec::new(),
            funcs: Vec::new(),
            interned: HashMap::new(),
            interned_funcs: HashMap::new(),
        };
        for (def, size, flat) in PRIMITIVES {
            let plain = !matches!(
                def,
                TypeDef::Bool | TypeDef::Char | TypeDef::String | TypeDef::ErrorContext
            );
            let index = TypeIndex(arena.nodes.len() as u32);
            arena.interned.insert(def.clone(), index);
            arena.nodes.push(TypeNode {
                def: def.clone(),
                abi: CanonicalAbi {
                    size32: *size,
                    align32: (*size).min(if *flat == 2 { 4 } else { 8 }),
                    flat_count: Some(*flat),
                },
                offsets: Box::default(),
                discriminant: 0,
                plain,
                has_handles: false,
                unsupported: matches!(def, TypeDef::ErrorContext),
            });
        }
        arena
    }
}

impl TypeArena {
    /// The type at `index`.
    #[inline]
    pub fn node(&self, index: TypeIndex) -> &TypeNode {
        &self.nodes[index.0 as usize]
    }

    /// The function type at `index`.
    #[inline]
    pub fn func(&self, index: FuncTypeIndex) -> &FuncTypeDef {
        &self.funcs[index.0 as usize]
    }

    /// The type of a field of a record or tuple.
    #[inline]
    pub(crate) fn field(&self, ty: TypeIndex, index: usize) -> TypeIndex {
        match &self.node(ty).def {
            TypeDef::Record(fields) => fields.get(index).map_or(ty, |(_, ty)| *ty),
            TypeDef::Tuple(fields) => fields.get(index).copied().unwrap_or(ty),
            _ => ty,
        }
    }

    /// The type of a case's payload; `ty` itself if the case has none.
    #[inline]
    pub(crate) fn case(&self, ty: TypeIndex, index: usize) -> TypeIndex {
        match &self.node(ty).def {
            TypeDef::Variant(cases) => cases.get(index).and_then(|(_, ty)| *ty).unwrap_or(ty),
            TypeDef::Option(payload) => *payload,
            TypeDef::Result(ok, err) => (if index == 0 { ok } else { err }).unwrap_or(ty),
            _ => ty,
        }
    }

    /// The type of a list's elements.
    #[inline]
    pub(crate) fn element(&self, ty: TypeIndex) -> TypeIndex {
        match &self.node(ty).def {
            TypeDef::List(element) | TypeDef::FixedList(element, _) | TypeDef::Map(_, _, element) => *element,
            _ => ty,
        }
    }

    pub(crate) fn intern(&mut self, def: TypeDef) -> TypeIndex {
        if let Some(index) = self.interned.get(&def) {
            return *index;
        }
        let node = self.layout(def);
        let index = TypeIndex(self.nodes.len() as u32);
        self.interned.insert(node.def.clone(), index);
        self.nodes.push(node);
        index
    }

    pub(crate) fn intern_func(
        &mut self,
        params: Box<[(Box<str>, TypeIndex)]>,
        result: Option<TypeIndex>,
        is_async: bool,
    ) -> FuncTypeIndex {
        let key = (params, result, is_async);
        if let Some(index) = self.interned_funcs.get(&key) {
            return *index;
        }
        let (params, ..) = key.clone();
        let types: Vec<TypeIndex> = params.iter().map(|(_, ty)| *ty).collect();
        let (params_abi, offsets) = self.record_layout(&types);
        let all = || types.iter().copied().chain(result);
        let unsupported = all().any(|ty| self.node(ty).unsupported);
        let result_abi = result.map_or(
            CanonicalAbi {
                size32: 0,
                align32: 1,
                flat_count: Some(0),
            },
            |ty| self.node(ty).abi,
        );
        let params_tuple = self.intern(TypeDef::Tuple(types.into()));
        let result_tuple = self.intern(TypeDef::Tuple(result.into_iter().collect()));
        let index = FuncTypeIndex(self.funcs.len() as u32);
        self.funcs.push(FuncTypeDef {
            params,
            result,
            is_async,
            offsets,
            params_abi,
            result_abi,
            params_tuple,
            result_tuple,
            unsupported,
        });
        self.interned_funcs.insert(key, index);
        index
    }

    fn record_layout(&self, fields: &[TypeIndex]) -> (CanonicalAbi, Box<[u32]>) {
        let mut builder = CanonicalAbi::EMPTY;
        let offsets = fields
            .iter()
            .map(|ty| builder.push_field(&self.node(*ty).abi))
            .collect();
        (builder.finish_record(), offsets)
    }

    fn layout(&self, def: TypeDef) -> TypeNode {
        let mut children: Vec<TypeIndex> = Vec::new();
        let mut offsets: Box<[u32]> = Box::default();
        let mut discriminant = 0;
        let mut plain = false;
        let mut has_handles = false;
        let mut unsupported = false;
        let pointer_pair = CanonicalAbi {
            size32: 8,
            align32: 4,
            flat_count: Some(2),
        };
        let handle = CanonicalAbi {
            size32: 4,
            align32: 4,
            flat_count: Some(1),
        };
        let abi = match &def {
            TypeDef::List(ty) | TypeDef::Map(_, _, ty) => {
                children.push(*ty);
                pointer_pair
            }
            TypeDef::FixedList(ty, n) => {
                children.push(*ty);
                plain = self.node(*ty).plain;
                self.node(*ty).abi.repeat(*n)
            }
            TypeDef::Record(fields) => {
                children.extend(fields.iter().map(|(_, ty)| *ty));
                plain = children.iter().all(|ty| self.node(*ty).plain);
                let (abi, o) = self.record_layout(&children);
                offsets = o;
                abi
            }
            TypeDef::Tuple(types) => {
                children.extend(types.iter().copied());
                plain = children.iter().all(|ty| self.node(*ty).plain);
                let (abi, o) = self.record_layout(&children);
                offsets = o;
                abi
            }
            TypeDef::Variant(cases) => {
                children.extend(cases.iter().filter_map(|(_, ty)| *ty));
                self.variant_layout(cases.len(), &children, &mut discriminant, &mut offsets)
            }
            TypeDef::Enum(names) => self.variant_layout(names.len(), &[], &mut discriminant, &mut offsets),
            TypeDef::Option(ty) => {
                children.push(*ty);
                self.variant_layout(2, &children, &mut discriminant, &mut offsets)
            }
            TypeDef::Result(ok, err) => {
                children.extend(ok.iter().chain(err.iter()).copied());
                self.variant_layout(2, &children, &mut discriminant, &mut offsets)
            }
            TypeDef::Flags(names) => {
                let size = crate::abi::flags_size(names.len());
                discriminant = size as u8;
                CanonicalAbi {
                    size32: size,
                    align32: size,
                    flat_count: Some(1),
                }
            }
            TypeDef::Own(_) | TypeDef::Borrow(_) => {
                has_handles = true;
                handle
            }
            // Streams and futures (and the primitives, which are there from the start).
            _ => {
                unsupported = true;
                handle
            }
        };
        has_handles |= children.iter().any(|ty| self.node(*ty).has_handles);
        unsupported |= children.iter().any(|ty| self.node(*ty).unsupported);
        TypeNode {
            def,
            abi,
            offsets,
            discriminant,
            plain,
            has_handles,
            unsupported,
        }
    }

    fn variant_layout(
        &self,
        cases: usize,
        payloads: &[TypeIndex],
        discriminant: &mut u8,
        offsets: &mut Box<[u32]>,
    ) -> CanonicalAbi {
        let abis: Vec<Option<CanonicalAbi>> = payloads.iter().map(|ty| Some(self.node(*ty).abi)).collect();
        let (abi, disc, offset) = CanonicalAbi::variant_of(cases, &abis);
        *discriminant = disc as u8;
        *offsets = Box::new([offset]);
        abi
    }

    /// Writes the type as WIT would, for messages.
    pub fn display(&self, ty: TypeIndex) -> String {
        let mut out = String::new();
        self.write(ty, &mut out, 0);
        out
    }

    fn write(&self, ty: TypeIndex, out: &mut String, depth: usize) {
        let node = self.node(ty);
        let list = |out: &mut String, types: &mut dyn Iterator<Item = Option<TypeIndex>>| {
            if depth > 4 {
                out.push_str("<..>");
                return;
            }
            out.push('<');
            for (i, ty) in types.enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                match ty {
                    Some(ty) => self.write(ty, out, depth + 1),
                    None => out.push('_'),
                }
            }
            out.push('>');
        };
        let names = |out: &mut String, names: &mut dyn Iterator<Item = &str>| {
            out.push_str(" { ");
            for (i, name) in names.enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                if i == 8 {
                    out.push_str("..");
                    break;
                }
                out.push_str(name);
            }
            out.push_str(" }");
        };
        out.push_str(node.def.desc());
        match &node.def {
            TypeDef::List(t) | TypeDef::Option(t) | TypeDef::FixedList(t, _) => {
                list(out, &mut [Some(*t)].into_iter())
            }
            TypeDef::Map(k, v, _) => list(out, &mut [Some(*k), Some(*v)].into_iter()),
            TypeDef::Tuple(types) => list(out, &mut types.iter().map(|t| Some(*t))),
            TypeDef::Result(ok, err) if ok.is_some() || err.is_some() => {
                list(out, &mut [*ok, *err].into_iter())
            }
            TypeDef::Stream(Some(t)) | TypeDef::Future(Some(t)) => list(out, &mut [Some(*t)].into_iter()),
            TypeDef::Record(fields) => names(out, &mut fields.iter().map(|(n, _)| &**n)),
            TypeDef::Variant(cases) => names(out, &mut cases.iter().map(|(n, _)| &**n)),
            TypeDef::Enum(n) | TypeDef::Flags(n) => names(out, &mut n.iter().map(|n| &**n)),
            _ => {}
        }
    }
}
