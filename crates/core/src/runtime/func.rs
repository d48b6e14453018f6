//! Functions, and calls from the host.

use std::{
    any::Any,
    borrow::Borrow,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    ptr::NonNull,
    sync::Arc,
};

use super::{
    Store, StoreId, Val,
    stack::native_stack_pointer,
    vm::{VmCtx, VmFuncRef, VmRuntime},
};
use crate::{
    bytecode::LINKAGE,
    engine::{Engine, InternedFuncType, SigId},
    error::{Error, Result},
    interp::{self, Outcome},
    suspend,
    trap::TrapCode,
    types::{FuncType, ValType},
};

/// A function of a store: of a guest or of the host.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Func {
    pub(crate) store: StoreId,
    pub(crate) ptr: NonNull<VmFuncRef>,
}

// SAFETY: the pointer is only used together with its store.
unsafe impl Send for Func {}
// SAFETY: as above.
unsafe impl Sync for Func {}

/// A host function. Its reference is the first field, so that a pointer to the one is a pointer to the other.
#[repr(C)]
pub(crate) struct HostFunc<F: ?Sized = ()> {
    func_ref: VmFuncRef,
    param_slots: usize,
    raw_slots: usize,
    /// Calls the closure, of whatever type it is: [`call_closure`].
    call: unsafe fn(*const HostFunc, &mut Store, &mut [u64]) -> Result<()>,
    closure: F,
}

/// # Safety
/// `host` points at a live host function with a closure of type `F`.
unsafe fn call_closure<F: Fn(&mut Store, &mut [u64]) -> Result<()>>(
    host: *const HostFunc,
    store: &mut Store,
    slots: &mut [u64],
) -> Result<()> {
    // SAFETY: by the contract above.
    let host = unsafe { &*host.cast::<HostFunc<F>>() };
    (host.closure)(store, slots)
}

/// A [`Func`] for calls on raw slots, made by [`Func::raw`].
#[derive(Copy, Clone, Debug)]
pub struct RawFunc {
    func: Func,
    params: usize,
    results: usize,
}

impl RawFunc {
    /// Calls it, in the convention of [`Func::new`].
    ///
    /// # Errors
    /// `Usage` when there are fewer slots than [`FuncType::raw_slots`]; traps, and whatever host functions return.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn call(&self, store: &mut Store, slots: &mut [u64]) -> Result<()> {
        store.inner().check(self.func.store);
        let needed = self.params.max(self.results);
        if slots.len() < needed {
            return Err(Error::usage(format!(
                "{needed} slots are needed, not {}",
                slots.len()
            )));
        }
        // SAFETY: the slot counts are those of the function's type, no parameter is a reference (`Func::raw` checked that), and
        // the function belongs to the store.
        unsafe { self.func.enter(store, slots, self.params, self.results) }
    }
}

impl Func {
    /// Makes a host function from a closure on raw slots.
    ///
    /// The slice holds the parameters when the closure is called and takes the results, from slot 0 on both times; it is as long as
    /// the larger of both. Each value takes one slot, vectors two (low half first); 32-bit values are zero-extended; references
    /// are opaque numbers, 0 is null. An error returned ends the guest's execution and comes out of the host's call of it.
    ///
    /// # Panics
    /// If a result is a reference: numbers are not checked to be references, so such functions are made by [`Func::wrap`].
    pub fn new(
        store: &mut Store,
        ty: impl Borrow<FuncType>,
        closure: impl Fn(&mut Store, &mut [u64]) -> Result<()> + Send + Sync + 'static,
    ) -> Func {
        let ty = store.engine().intern(ty.borrow());
        Func::of_type(store, &ty, closure)
    }

    /// As [`new`](Func::new), without looking for the type among those of the engine.
    ///
    /// ```
    /// # fn main() -> wharf_core::Result<()> {
    /// use wharf_core::{Engine, Func, FuncType, Store, Val, ValType};
    ///
    /// let engine = Engine::default();
    /// let ty = engine.intern(&FuncType::new([ValType::I32], [ValType::I32]));
    /// let mut store = Store::new(&engine, Box::new(()));
    /// let double = Func::of_type(&mut store, &ty, |_, slots| {
    ///     slots[0] = u64::from(slots[0] as u32 * 2);
    ///     Ok(())
    /// });
    /// let mut results = [Val::I32(0)];
    /// double.call(&mut store, &[Val::I32(21)], &mut results)?;
    /// assert!(matches!(results, [Val::I32(42)]));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// If a result is a reference, or the type was interned by another engine than the store's.
    pub fn of_type(
        store: &mut Store,
        ty: &InternedFuncType,
        closure: impl Fn(&mut Store, &mut [u64]) -> Result<()> + Send + Sync + 'static,
    ) -> Func {
        assert!(
            !ty.returns_references,
            "a host function on raw slots can't return references"
        );
        assert!(
            Engine::same(&ty.engine, store.engine()),
            "the type is one of another engine"
        );
        Func::new_unchecked(store, ty, closure)
    }

    /// As `new`, for closures that write references of the store only.
    fn new_unchecked<F>(store: &mut Store, ty: &InternedFuncType, closure: F) -> Func
    where
        F: Fn(&mut Store, &mut [u64]) -> Result<()> + Send + Sync + 'static,
    {
        let inner = store.inner_mut();
        let host: Box<HostFunc<F>> = Box::new(HostFunc {
            func_ref: VmFuncRef {
                code: interp::host_enter_cell(),
                vm: inner.host_vm(),
                sig: ty.sig.0,
                index: inner.host_funcs.len() as u32,
            },
            param_slots: ty.param_slots,
            raw_slots: ty.raw_slots,
            call: call_closure::<F>,
            closure,
        });
        inner.host_funcs.push(host);
        let host: *const HostFunc<dyn Send + Sync> = &**inner
            .host_funcs
            .last()
            .unwrap_or_else(|| unreachable!("just pushed"));
        // SAFETY: not null; the box stays where it is until the store is dropped.
        let ptr = unsafe { NonNull::new_unchecked(host.cast_mut().cast()) };
        Func { store: inner.id, ptr }
    }

    /// Makes a host function from a closure on values.
    ///
    /// The closure must fill all results with values of the right types; anything else is a `Usage` error that ends the guest.
    pub fn wrap(
        store: &mut Store,
        ty: FuncType,
        closure: impl Fn(&mut Store, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Func {
        let interned = store.engine().intern(&ty);
        Func::new_unchecked(store, &interned, move |store, slots| {
            let params: Vec<Val> = Val::read_slots(store.id(), ty.params(), slots).collect();
            let mut results: Vec<Val> = ty.results().iter().map(|t| Val::default_for(*t)).collect();
            closure(store, &params, &mut results)?;
            Val::write_slots(store, ty.results(), &results, slots)
        })
    }

    pub(crate) fn to_raw(self) -> u64 {
        self.ptr.as_ptr() as u64
    }

    pub(crate) fn from_raw(store: StoreId, raw: u64) -> Option<Func> {
        Some(Func {
            store,
            ptr: NonNull::new(raw as *mut VmFuncRef)?,
        })
    }

    /// The function as a raw slot, the way host functions on raw slots see references. 0 is null and no function.
    pub fn to_slot(&self, store: &Store) -> u64 {
        store.inner().check(self.store);
        self.to_raw()
    }

    pub(crate) fn sig(&self, store: &Store) -> SigId {
        store.inner().check(self.store);
        // SAFETY: function references live as long as their store, and `sig` does not change.
        SigId(unsafe { (*self.ptr.as_ptr()).sig })
    }

    /// Its type.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn ty(&self, store: &Store) -> Arc<FuncType> {
        store.engine().0.signatures.get(self.sig(store))
    }

    /// Calls it with values, which are checked against its type.
    ///
    /// # Errors
    /// `Usage` when the number or types of the values are wrong, traps, and whatever host functions return.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn call(&self, store: &mut Store, params: &[Val], results: &mut [Val]) -> Result<()> {
        let ty = self.ty(store);
        if results.len() != ty.results().len() {
            return Err(Error::usage(format!(
                "the function has {} results, not {}",
                ty.results().len(),
                results.len()
            )));
        }
        let mut slots = vec![0; ty.raw_slots()];
        Val::write_slots(store, ty.params(), params, &mut slots)?;
        // SAFETY: the slot counts are those of the function's type, and `write_slots` checked the references.
        unsafe { self.enter(store, &mut slots, ty.param_slots(), ty.result_slots())? };
        for (result, value) in results
            .iter_mut()
            .zip(Val::read_slots(store.id(), ty.results(), &slots))
        {
            *result = value;
        }
        Ok(())
    }

    /// Calls it on raw slots, in the convention of [`Func::new`].
    ///
    /// # Errors
    /// `Usage` when there are fewer slots than [`FuncType::raw_slots`], or a parameter is a reference (use [`Func::call`] for such
    /// functions, which checks them); traps, and whatever host functions return.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn call_raw(&self, store: &mut Store, slots: &mut [u64]) -> Result<()> {
        let ty = self.ty(store);
        if slots.len() < ty.raw_slots() {
            return Err(Error::usage(format!(
                "{} slots are needed, not {}",
                ty.raw_slots(),
                slots.len()
            )));
        }
        if ty.params().iter().any(|t| matches!(t, ValType::Ref(_))) {
            return Err(Error::usage(
                "functions with reference parameters can't be called on raw slots",
            ));
        }
        // SAFETY: the slot counts are those of the function's type, and no parameter is a reference.
        unsafe { self.enter(store, slots, ty.param_slots(), ty.result_slots()) }
    }

    /// The function for many calls on raw slots: its type is looked at once, here.
    ///
    /// # Errors
    /// `Usage` when a parameter is a reference.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn raw(&self, store: &Store) -> Result<RawFunc> {
        let ty = self.ty(store);
        if ty.params().iter().any(|t| matches!(t, ValType::Ref(_))) {
            return Err(Error::usage(
                "functions with reference parameters can't be called on raw slots",
            ));
        }
        Ok(RawFunc {
            func: *self,
            params: ty.param_slots(),
            results: ty.result_slots(),
        })
    }

    /// # Safety
    /// The slot counts are those of the function, and references among the parameters belong to the store.
    unsafe fn enter(
        &self,
        store: &mut Store,
        slots: &mut [u64],
        params: usize,
        results: usize,
    ) -> Result<()> {
        let inner: *mut super::store::StoreInner = store.inner_mut();
        // SAFETY: the store is exclusively borrowed until this function returns; from here on everything goes through raw
        // pointers, because the guest and its host functions use the store in turns.
        unsafe {
            let rt = (*inner).rt;
            let func_ref = self.ptr.as_ptr();
            if (*func_ref).code == interp::host_enter_cell() {
                let host: *const HostFunc = func_ref.cast();
                return Store::lend(inner, |store| ((*host).call)(host, store, slots));
            }
            let here = native_stack_pointer();
            let outer_stack = ((*rt).host_stack, (*rt).host_stack_limit);
            let stack = suspend::stack_id();
            // A host function may call its guest again from another stack.
            if (*rt).depth == 0 || stack != outer_stack.0 {
                (*rt).host_stack = stack;
                (*rt).host_stack_limit = suspend::stack_limit()
                    .unwrap_or_else(|| here.saturating_sub((*inner).engine.config().max_host_stack));
            }
            let sp = (*rt).stack_top;
            let needed = (params + LINKAGE).max(results);
            let room = (*rt).stack_limit.offset_from(sp) as usize;
            if here < (*rt).host_stack_limit || room < needed {
                ((*rt).host_stack, (*rt).host_stack_limit) = outer_stack;
                return Err((*inner).no_room());
            }
            std::ptr::copy_nonoverlapping(slots.as_ptr(), sp, params);
            interp::write_exit_linkage(sp.add(params), (*rt).host_vm);
            let caller = (*rt).caller;
            (*rt).depth += 1;
            let outcome = interp::run(rt, (*(*func_ref).code).get(), sp, (*func_ref).vm);
            (*rt).depth -= 1;
            ((*rt).host_stack, (*rt).host_stack_limit) = outer_stack;
            (*rt).caller = caller;
            (*rt).stack_top = sp;
            match outcome {
                Outcome::Done => {
                    std::ptr::copy_nonoverlapping(sp, slots.as_mut_ptr(), results);
                    Ok(())
                }
                Outcome::Stopped => Err(stopped(rt)),
            }
        }
    }
}

/// Makes the error for a guest that stopped, or goes on with a host function's panic.
///
/// # Safety
/// `rt` is the runtime block of a live store in which guest code just stopped.
#[cold]
unsafe fn stopped(rt: *mut VmRuntime) -> Error {
    // SAFETY: by the contract above.
    let (panic, error, code) = unsafe { ((*rt).panic.take(), (*rt).error.take(), (*rt).trap.code) };
    if let Some(panic) = panic {
        // SAFETY: as below.
        drop(unsafe { std::mem::take(&mut (*rt).trace) });
        resume_unwind(panic);
    }
    let mut error = match (error, code) {
        (Some(error), _) => error,
        (None, Some(code)) => Error::trap(code),
        (None, None) => unreachable!("a guest stops for a reason"),
    };
    // SAFETY: the frames from the site outwards are still as the guest left them.
    unsafe {
        interp::note_frames(rt);
        interp::resolve_frames(&mut error, rt);
    }
    error
}

/// Calls a host function for a guest; `false` when it failed, and then the reason is in the runtime block.
///
/// # Safety
/// `func_ref` is that of a host function of the store that `rt` belongs to; `sp` points at its parameters, with room for its results.
/// No guest frame uses the stack from `top` on.
pub(crate) unsafe fn host_call(
    rt: *mut VmRuntime,
    func_ref: *const VmFuncRef,
    sp: *mut u64,
    caller: *mut VmCtx,
) -> bool {
    // SAFETY: by the contract above; the guest is suspended in this call, so that the store can be lent to the closure.
    unsafe {
        let host: *const HostFunc = func_ref.cast();
        let slots = (*host).raw_slots;
        if native_stack_pointer() < (*rt).host_stack_limit
            || ((*rt).stack_limit.offset_from(sp) as usize) < slots.max((*host).param_slots + LINKAGE)
        {
            (*rt).error = Some(Error::trap(TrapCode::StackOverflow));
            return false;
        }
        let (old_caller, old_top) = ((*rt).caller, (*rt).stack_top);
        (*rt).caller = caller;
        (*rt).stack_top = sp.add(slots.max((*host).param_slots + LINKAGE));
        let slots = std::slice::from_raw_parts_mut(sp, slots);
        let result = catch_unwind(AssertUnwindSafe(|| {
            Store::lend((*rt).store, |store| ((*host).call)(host, store, slots))
        }));
        (*rt).caller = old_caller;
        (*rt).stack_top = old_top;
        match result {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                (*rt).error = Some(error);
                false
            }
            Err(panic) => {
                let panic: Box<dyn Any + Send> = panic;
                (*rt).panic = Some(panic);
                false
            }
        }
    }
}

/// The slots of a host function's parameters.
///
/// # Safety
/// `func_ref` is that of a live host function.
pub(crate) unsafe fn host_param_slots(func_ref: *const VmFuncRef) -> usize {
    // SAFETY: by the contract above, the reference is the first field of the host function.
    unsafe { (*func_ref.cast::<HostFunc>()).param_slots }
}
