//! Resource handles.

use wharf_core::{Error, Result};

use super::{ComponentType, Lift, Lower, TypeCheck};
use crate::abi::{CanonicalAbi, FlatReader, FlatWriter, LiftContext, LowerContext};
use crate::resource::{Resource, ResourceAny, ResourceType};
use crate::types::{TypeDef, TypeIndex};

impl<T: 'static> ComponentType for Resource<T> {
    const ABI: CanonicalAbi = CanonicalAbi::scalar(4);
    fn typecheck(ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()> {
        match cx.resource(ty)? {
            Some((found, _)) if found == ResourceType::host::<T>() => Ok(()),
            Some(_) => Err(Error::usage(format!(
                "type mismatch: the resource is not the host's `{}`",
                std::any::type_name::<T>()
            ))),
            None => Err(cx.mismatch(ty, "resource")),
        }
    }
}

fn lower<T>(value: &Resource<T>, cx: &mut LowerContext<'_>, ty: TypeIndex) -> Result<u32> {
    match cx.types.node(ty).def {
        TypeDef::Own(resource) if value.owned() => cx.lower_own(resource, value.rep()),
        TypeDef::Own(_) => Err(Error::usage(
            "a borrowed resource was passed where ownership is transferred",
        )),
        TypeDef::Borrow(resource) => cx.lower_borrow(resource, value.rep()),
        _ => Err(Error::usage("expected a resource")),
    }
}

fn lift<T>(cx: &mut LiftContext<'_>, ty: TypeIndex, handle: u32) -> Result<Resource<T>> {
    match cx.types.node(ty).def {
        TypeDef::Own(resource) => Ok(Resource::new_own(cx.lift_own(resource, handle)?)),
        TypeDef::Borrow(resource) => Ok(Resource::new_borrow(cx.lift_borrow(resource, handle)?)),
        _ => Err(Error::usage("expected a resource")),
    }
}

impl<T: 'static> Lower for Resource<T> {
    fn lower_flat(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()> {
        to.push(u64::from(lower(self, cx, ty)?));
        Ok(())
    }
    fn lower_memory(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, offset: u32) -> Result<()> {
        let handle = lower(self, cx, ty)?;
        cx.write_u32(offset, handle)
    }
}

impl<T: 'static> Lift for Resource<T> {
    fn lift_flat(cx: &mut LiftContext<'_>, ty: TypeIndex, from: &mut FlatReader<'_>) -> Result<Self> {
        lift(cx, ty, from.next_u32())
    }
    fn lift_memory(cx: &mut LiftContext<'_>, ty: TypeIndex, bytes: &[u8]) -> Result<Self> {
        let handle = u32::lift_memory(cx, ty, bytes)?;
        lift(cx, ty, handle)
    }
}

impl ComponentType for ResourceAny {
    const ABI: CanonicalAbi = CanonicalAbi::scalar(4);
    fn typecheck(ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()> {
        match cx.def(ty) {
            TypeDef::Own(_) | TypeDef::Borrow(_) => Ok(()),
            _ => Err(cx.mismatch(ty, "resource")),
        }
    }
}

impl Lower for ResourceAny {
    fn lower_flat(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()> {
        to.push(u64::from(cx.lower_any(ty, *self)?));
        Ok(())
    }
    fn lower_memory(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, offset: u32) -> Result<()> {
        let handle = cx.lower_any(ty, *self)?;
        cx.write_u32(offset, handle)
    }
}

impl Lift for ResourceAny {
    fn lift_flat(cx: &mut LiftContext<'_>, ty: TypeIndex, from: &mut FlatReader<'_>) -> Result<Self> {
        cx.lift_any(ty, from.next_u32())
    }
    fn lift_memory(cx: &mut LiftContext<'_>, ty: TypeIndex, bytes: &[u8]) -> Result<Self> {
        let handle = u32::lift_memory(cx, ty, bytes)?;
        cx.lift_any(ty, handle)
    }
}
