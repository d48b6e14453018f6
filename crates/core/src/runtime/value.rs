//! Values as the embedder sees them.

use std::any::Any;

use super::{Func, Store, StoreId};
use crate::{
    error::{Error, Result},
    types::{HeapType, ValType},
};

/// A core value.
#[derive(Copy, Clone, Debug)]
pub enum Val {
    /// 32-bit integer.
    I32(i32),
    /// 64-bit integer.
    I64(i64),
    /// 32-bit float, as its bits.
    F32(u32),
    /// 64-bit float, as its bits.
    F64(u64),
    /// 128-bit vector, lane 0 in the low bits.
    V128(u128),
    /// Function reference.
    FuncRef(Option<Func>),
    /// Reference of the host.
    ExternRef(Option<ExternRef>),
}

/// A value of the host that guests can hold but not look into. It is kept until its store is dropped.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct ExternRef {
    pub(crate) store: StoreId,
    /// Position in the store's list, plus one.
    pub(crate) number: u32,
}

impl ExternRef {
    /// Gives a value to the store.
    ///
    /// # Errors
    /// When the store holds four billion of them.
    pub fn new(store: &mut Store, value: impl Any + Send + Sync) -> Result<ExternRef> {
        let inner = store.inner_mut();
        let number = u32::try_from(inner.externrefs.len() + 1)
            .map_err(|_| Error::limit("too many external references"))?;
        inner.externrefs.push(Box::new(value));
        Ok(ExternRef {
            store: inner.id,
            number,
        })
    }

    /// The value.
    ///
    /// # Panics
    /// If the reference belongs to another store.
    pub fn data<'a>(&self, store: &'a Store) -> &'a (dyn Any + Send + Sync) {
        store.inner().check(self.store);
        &*store.inner().externrefs[self.number as usize - 1]
    }
}

impl Val {
    /// The type of the value; references are nullable.
    pub fn ty(&self) -> ValType {
        match self {
            Val::I32(_) => ValType::I32,
            Val::I64(_) => ValType::I64,
            Val::F32(_) => ValType::F32,
            Val::F64(_) => ValType::F64,
            Val::V128(_) => ValType::V128,
            Val::FuncRef(_) => ValType::FUNCREF,
            Val::ExternRef(_) => ValType::EXTERNREF,
        }
    }

    /// Zero or null of a type.
    pub fn default_for(ty: ValType) -> Val {
        match ty {
            ValType::I32 => Val::I32(0),
            ValType::I64 => Val::I64(0),
            ValType::F32 => Val::F32(0),
            ValType::F64 => Val::F64(0),
            ValType::V128 => Val::V128(0),
            ValType::Ref(r) => match r.heap {
                HeapType::Func => Val::FuncRef(None),
                HeapType::Extern => Val::ExternRef(None),
            },
        }
    }

    /// The raw bits, the second word for vectors only; checks that references belong to the store and the type fits.
    pub(crate) fn to_raw(self, store: &Store, ty: ValType) -> Result<u128> {
        let fits = match ty {
            ValType::Ref(r) => match (self, r.heap) {
                (Val::FuncRef(f), HeapType::Func) => f.is_some() || r.nullable,
                (Val::ExternRef(e), HeapType::Extern) => e.is_some() || r.nullable,
                _ => false,
            },
            ty => ty == self.ty(),
        };
        if !fits {
            return Err(Error::usage(format!(
                "expected a value of type {ty}, got {self:?}"
            )));
        }
        let foreign = || Error::usage("a reference belongs to another store");
        Ok(match self {
            Val::I32(x) => x as u32 as u128,
            Val::I64(x) => x as u64 as u128,
            Val::F32(x) => x.into(),
            Val::F64(x) => x.into(),
            Val::V128(x) => x,
            Val::FuncRef(None) | Val::ExternRef(None) => 0,
            Val::FuncRef(Some(f)) => {
                if f.store != store.inner().id {
                    return Err(foreign());
                }
                f.to_raw().into()
            }
            Val::ExternRef(Some(e)) => {
                if e.store != store.inner().id {
                    return Err(foreign());
                }
                e.number.into()
            }
        })
    }

    /// The value of a type from raw bits that came from this store.
    pub(crate) fn from_raw(store: StoreId, ty: ValType, raw: u128) -> Val {
        match ty {
            ValType::I32 => Val::I32(raw as u32 as i32),
            ValType::I64 => Val::I64(raw as u64 as i64),
            ValType::F32 => Val::F32(raw as u32),
            ValType::F64 => Val::F64(raw as u64),
            ValType::V128 => Val::V128(raw),
            ValType::Ref(r) => match r.heap {
                HeapType::Func => Val::FuncRef(Func::from_raw(store, raw as u64)),
                HeapType::Extern => Val::ExternRef((raw as u32 != 0).then_some(ExternRef {
                    store,
                    number: raw as u32,
                })),
            },
        }
    }

    /// Reads values of these types from consecutive slots.
    pub(crate) fn read_slots<'a>(
        store: StoreId,
        types: &'a [ValType],
        slots: &'a [u64],
    ) -> impl Iterator<Item = Val> + 'a {
        let mut at = 0;
        types.iter().map(move |ty| {
            let raw = match ty {
                ValType::V128 => u128::from(slots[at]) | u128::from(slots[at + 1]) << 64,
                _ => slots[at].into(),
            };
            at += ty.slots();
            Val::from_raw(store, *ty, raw)
        })
    }

    /// Writes values of these types to consecutive slots.
    pub(crate) fn write_slots(
        store: &Store,
        types: &[ValType],
        values: &[Val],
        slots: &mut [u64],
    ) -> Result<()> {
        if types.len() != values.len() {
            return Err(Error::usage(format!(
                "expected {} values, got {}",
                types.len(),
                values.len()
            )));
        }
        let mut at = 0;
        for (ty, value) in types.iter().zip(values) {
            let raw = value.to_raw(store, *ty)?;
            slots[at] = raw as u64;
            if *ty == ValType::V128 {
                slots[at + 1] = (raw >> 64) as u64;
            }
            at += ty.slots();
        }
        Ok(())
    }
}
