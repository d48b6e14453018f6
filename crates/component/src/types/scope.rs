//! What types mean outside of their arena: equality, and the resources of an instance.

use std::fmt;
use std::sync::Arc;

use super::{FuncTypeIndex, ResourceIndex, TypeArena, TypeDef, TypeIndex};
use crate::resource::{ResourceType, Resources};

/// What a type handle refers to: the arena, and the run-time resource types when an instance is known.
#[derive(Clone)]
pub(crate) struct Scope {
    pub types: Arc<TypeArena>,
    pub resources: Option<Arc<Resources>>,
}

impl Scope {
    /// The resource type as it is at run time; before instantiation a stand-in that is only equal to itself.
    pub(super) fn resource(&self, index: ResourceIndex) -> ResourceType {
        match self.resources.as_ref().and_then(|r| r.get(index).ok()) {
            Some(resource) => resource.ty,
            None => ResourceType::host_dynamic(index.0),
        }
    }
}

/// A type of an arena, by which the embedder's types of more than one word stand for it.
#[derive(Clone)]
pub(super) struct Handle {
    pub scope: Scope,
    pub index: TypeIndex,
}

impl Handle {
    pub fn def(&self) -> &TypeDef {
        &self.scope.types.node(self.index).def
    }
}

/// Same shape, with equal resource types.
fn equal(a: &Scope, x: TypeIndex, b: &Scope, y: TypeIndex) -> bool {
    if Arc::ptr_eq(&a.types, &b.types) && x == y && !a.types.node(x).has_handles {
        return true;
    }
    let both = |x: &TypeIndex, y: &TypeIndex| equal(a, *x, b, *y);
    let optional = |x: &Option<TypeIndex>, y: &Option<TypeIndex>| match (x, y) {
        (Some(x), Some(y)) => equal(a, *x, b, *y),
        (None, None) => true,
        _ => false,
    };
    match (&a.types.node(x).def, &b.types.node(y).def) {
        (TypeDef::List(x), TypeDef::List(y)) | (TypeDef::Option(x), TypeDef::Option(y)) => both(x, y),
        (TypeDef::FixedList(x, n), TypeDef::FixedList(y, m)) => n == m && both(x, y),
        (TypeDef::Map(k, v, _), TypeDef::Map(l, w, _)) => both(k, l) && both(v, w),
        (TypeDef::Record(x), TypeDef::Record(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|((n, x), (m, y))| n == m && both(x, y))
        }
        (TypeDef::Tuple(x), TypeDef::Tuple(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| both(x, y))
        }
        (TypeDef::Variant(x), TypeDef::Variant(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|((n, x), (m, y))| n == m && optional(x, y))
        }
        (TypeDef::Result(o, e), TypeDef::Result(p, f)) => optional(o, p) && optional(e, f),
        (TypeDef::Own(x), TypeDef::Own(y)) | (TypeDef::Borrow(x), TypeDef::Borrow(y)) => {
            a.resource(*x) == b.resource(*y)
        }
        (TypeDef::Stream(x), TypeDef::Stream(y)) | (TypeDef::Future(x), TypeDef::Future(y)) => optional(x, y),
        // Primitives, enums and flags have no types inside.
        (x, y) => x == y,
    }
}

/// The function types have the same parameters (names included) and result.
pub(crate) fn equal_funcs(a: &Scope, x: FuncTypeIndex, b: &Scope, y: FuncTypeIndex) -> bool {
    let (x, y) = (a.types.func(x), b.types.func(y));
    x.params.len() == y.params.len()
        && x.params
            .iter()
            .zip(&y.params)
            .all(|((n, x), (m, y))| n == m && equal(a, *x, b, *y))
        && x.is_async == y.is_async
        && match (x.result, y.result) {
            (Some(x), Some(y)) => equal(a, x, b, y),
            (None, None) => true,
            _ => false,
        }
}

impl PartialEq for Handle {
    fn eq(&self, other: &Handle) -> bool {
        equal(&self.scope, self.index, &other.scope, other.index)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scope.types.display(self.index))
    }
}
