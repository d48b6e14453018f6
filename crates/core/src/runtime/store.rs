//! The store: owner of everything that guests can reach.

use std::{
    any::{Any, TypeId},
    mem::ManuallyDrop,
    ptr::NonNull,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    HostFunc, InstanceData,
    deadline::OnDeadline,
    global::GlobalData,
    memory::MemoryData,
    stack::ValueStack,
    table::TableData,
    vm::{TrapSite, VmCtx, VmMemory, VmRuntime},
};
use crate::{Instance, engine::Engine, module::ModuleInner, types::TagType};

/// Tells stores apart, so that a handle is not used with another store than its own.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct StoreId(u64);

/// Quotas of a store. What would go beyond them fails: growth with -1, creation with a `Limit` error.
#[derive(Copy, Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of all linear memories together.
    pub memory_bytes: u64,
    /// Elements of all tables together.
    pub table_elements: u64,
    /// Number of core instances.
    pub instances: u32,
}

impl Default for Limits {
    /// 4 GiB of memory, ten million table elements, ten thousand instances.
    fn default() -> Limits {
        Limits {
            memory_bytes: 4 << 30,
            table_elements: 10_000_000,
            instances: 10_000,
        }
    }
}

/// Owns instances, memories and everything else that guests reach; nothing of it outlives the store.
///
/// The store carries a value of the embedder ([`Store::data_mut`]) for its host functions.
pub struct Store {
    inner: NonNull<StoreInner>,
}

// SAFETY: a store owns all that it points to; host functions are `Send + Sync`, host data is `Send`.
unsafe impl Send for Store {}
// SAFETY: shared references to a store only read.
unsafe impl Sync for Store {}

pub(crate) struct StoreInner {
    pub(crate) id: StoreId,
    pub(crate) engine: Engine,
    pub(crate) rt: *mut VmRuntime,
    host_vm: *mut VmCtx,
    empty_memory: *mut VmMemory,
    #[expect(dead_code, reason = "owns the memory that `rt` points into")]
    stack: ValueStack,
    pub(crate) instances: Vec<InstanceData>,
    #[expect(clippy::vec_box, reason = "instances point at them")]
    pub(crate) memories: Vec<Box<MemoryData>>,
    #[expect(clippy::vec_box, reason = "instances point at them")]
    pub(crate) tables: Vec<Box<TableData>>,
    pub(crate) globals: Vec<GlobalData>,
    pub(crate) tags: Vec<TagType>,
    /// Boxed because guests point at them.
    pub(crate) host_funcs: Vec<Box<HostFunc<dyn Send + Sync>>>,
    pub(crate) externrefs: Vec<Box<dyn Any + Send + Sync>>,
    data: Box<dyn Any + Send>,
    extensions: Vec<(TypeId, Box<dyn Any + Send>)>,
    pub(crate) on_deadline: OnDeadline,
    pub(crate) limits: Limits,
    pub(crate) memory_bytes: u64,
    pub(crate) table_elements: u64,
}

impl Store {
    /// A store that carries `data`.
    ///
    /// # Panics
    /// If the system has no memory for its stack.
    pub fn new(engine: &Engine, data: Box<dyn Any + Send>) -> Store {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let stack = match ValueStack::new(engine.config().max_wasm_stack) {
            Ok(stack) => stack,
            Err(e) => panic!("no memory for the stack of a store: {e}"),
        };
        let empty_memory = Box::into_raw(Box::new(VmMemory {
            base: std::ptr::dangling_mut(),
            len: 0,
        }));
        let rt = Box::into_raw(Box::new(VmRuntime {
            stack_limit: stack.limit(),
            stack_top: stack.base(),
            host_stack_limit: 0,
            host_stack: 0,
            depth: 0,
            store: std::ptr::null_mut(),
            host_vm: std::ptr::null_mut(),
            caller: std::ptr::null_mut(),
            callee_cell: std::ptr::null(),
            callee_vm: std::ptr::null_mut(),
            callee_func: std::ptr::null(),
            native_caller: std::ptr::null_mut(),
            epoch: &engine.0.epoch,
            deadline: u64::MAX,
            builtins: crate::native::builtins(),
            tail_caller: std::ptr::null_mut(),
            tail_args: std::ptr::null_mut(),
            tail_params: 0,
            sampled: None,
            trace: Vec::new(),
            trace_omitted: 0,
            trap: TrapSite {
                code: None,
                ip: std::ptr::null(),
                sp: std::ptr::null_mut(),
                vm: std::ptr::null_mut(),
            },
            error: None,
            panic: None,
        }));
        let host_vm = Box::into_raw(Box::new(VmCtx::host(rt, empty_memory)));
        let inner = Box::into_raw(Box::new(StoreInner {
            id: StoreId(NEXT.fetch_add(1, Ordering::Relaxed)),
            engine: engine.clone(),
            rt,
            host_vm,
            empty_memory,
            stack,
            instances: Vec::new(),
            memories: Vec::new(),
            tables: Vec::new(),
            globals: Vec::new(),
            tags: Vec::new(),
            host_funcs: Vec::new(),
            externrefs: Vec::new(),
            data,
            extensions: Vec::new(),
            on_deadline: OnDeadline::default(),
            limits: Limits::default(),
            memory_bytes: 0,
            table_elements: 0,
        }));
        // SAFETY: `rt` was made above and nothing else refers to it yet.
        unsafe {
            (*rt).store = inner;
            (*rt).host_vm = host_vm;
        }
        // SAFETY: a box is not null.
        let inner = unsafe { NonNull::new_unchecked(inner) };
        Store { inner }
    }

    pub(crate) fn inner(&self) -> &StoreInner {
        // SAFETY: the pointee lives as long as the store, and `&self` forbids changes meanwhile.
        unsafe { self.inner.as_ref() }
    }

    pub(crate) fn inner_mut(&mut self) -> &mut StoreInner {
        // SAFETY: the pointee lives as long as the store, and `&mut self` makes this the only access.
        unsafe { self.inner.as_mut() }
    }

    /// Lends the store to `f` while guest code of it runs further out.
    ///
    /// # Safety
    /// `inner` is a live store that the caller has exclusive use of, and no reference into it is live.
    pub(crate) unsafe fn lend<R>(inner: *mut StoreInner, f: impl FnOnce(&mut Store) -> R) -> R {
        // SAFETY: stores are not null.
        let original = unsafe { NonNull::new_unchecked(inner) };
        let mut store = ManuallyDrop::new(Store { inner: original });
        let result = f(&mut store);
        if store.inner != original {
            // The host function swapped the store for another one: its guest can't be returned to.
            std::process::abort();
        }
        result
    }

    /// Which store this is.
    pub fn id(&self) -> StoreId {
        self.inner().id
    }

    /// The engine it was made with.
    pub fn engine(&self) -> &Engine {
        &self.inner().engine
    }

    /// The embedder's data.
    ///
    /// # Panics
    /// If it is not of type `T`.
    pub fn data<T: 'static>(&self) -> &T {
        match self.inner().data.downcast_ref() {
            Some(data) => data,
            None => panic!("the data of the store is not a {}", std::any::type_name::<T>()),
        }
    }

    /// The embedder's data, to change it.
    ///
    /// # Panics
    /// If it is not of type `T`.
    pub fn data_mut<T: 'static>(&mut self) -> &mut T {
        match self.inner_mut().data.downcast_mut() {
            Some(data) => data,
            None => panic!("the data of the store is not a {}", std::any::type_name::<T>()),
        }
    }

    /// The embedder's data, if it is of type `T`.
    pub fn try_data_mut<T: 'static>(&mut self) -> Option<&mut T> {
        self.inner_mut().data.downcast_mut()
    }

    /// Ends the store and gives the embedder's data back.
    ///
    /// # Panics
    /// If it is not of type `T`.
    pub fn into_data<T: 'static>(mut self) -> T {
        let data = std::mem::replace(&mut self.inner_mut().data, Box::new(()));
        match data.downcast() {
            Ok(data) => *data,
            Err(_) => panic!("the data of the store is not a {}", std::any::type_name::<T>()),
        }
    }

    /// State that a layer above keeps in the store, one value per type.
    pub fn extension<E: Default + Send + 'static>(&mut self) -> &mut E {
        let extensions = &mut self.inner_mut().extensions;
        let id = TypeId::of::<E>();
        let at = match extensions.iter().position(|(t, _)| *t == id) {
            Some(at) => at,
            None => {
                extensions.push((id, Box::new(E::default())));
                extensions.len() - 1
            }
        };
        match extensions[at].1.downcast_mut() {
            Some(extension) => extension,
            None => unreachable!("extensions are kept under their own type"),
        }
    }

    /// As [`Store::extension`], but only if it is there already.
    pub fn get_extension<E: Send + 'static>(&self) -> Option<&E> {
        let id = TypeId::of::<E>();
        let (_, extension) = self.inner().extensions.iter().find(|(t, _)| *t == id)?;
        extension.downcast_ref()
    }

    /// A linear memory's bytes and an extension at the same time, for code that moves data between both.
    ///
    /// # Panics
    /// If the memory belongs to another store.
    pub fn memory_and_extension<E: Default + Send + 'static>(
        &mut self,
        memory: super::Memory,
    ) -> (&mut [u8], &mut E) {
        let bytes: *mut [u8] = memory.data_mut(self);
        let extension = self.extension::<E>();
        // SAFETY: the bytes of a memory are a mapping of their own, which no extension and no list of the store overlaps, and both
        // borrow the store exclusively.
        (unsafe { &mut *bytes }, extension)
    }

    /// A linear memory's bytes and the embedder's data at the same time.
    ///
    /// # Panics
    /// If the memory belongs to another store, or the data is not of type `T`.
    pub fn memory_and_data<T: 'static>(&mut self, memory: super::Memory) -> (&mut [u8], &mut T) {
        let bytes: *mut [u8] = memory.data_mut(self);
        let data = self.data_mut::<T>();
        // SAFETY: the bytes of a memory are a mapping of their own, which the embedder's data does not overlap, and both borrow
        // the store exclusively.
        (unsafe { &mut *bytes }, data)
    }

    /// Sets the quotas. What exists already is not taken away.
    pub fn set_limits(&mut self, limits: Limits) {
        self.inner_mut().limits = limits;
    }

    /// The quotas.
    pub fn limits(&self) -> Limits {
        self.inner().limits
    }

    /// Bytes of all linear memories of the store.
    pub fn memory_bytes(&self) -> u64 {
        self.inner().memory_bytes
    }

    /// The instance that called the host function which is running, if it was called by a guest.
    pub fn caller(&self) -> Option<Instance> {
        let inner = self.inner();
        // SAFETY: the runtime block lives as long as the store; a caller that is set is an active frame's instance.
        let index = unsafe {
            let caller = (*inner.rt).caller;
            if caller.is_null() {
                return None;
            }
            (*caller).instance
        };
        (index != u32::MAX).then_some(Instance {
            store: inner.id,
            index,
        })
    }
}

impl StoreInner {
    /// # Panics
    /// If a handle of store `id` does not belong here.
    #[track_caller]
    pub(crate) fn check(&self, id: StoreId) {
        assert!(self.id == id, "a handle was used with another store than its own");
    }

    pub(crate) fn host_vm(&self) -> *mut VmCtx {
        self.host_vm
    }

    pub(crate) fn empty_memory(&self) -> *mut VmMemory {
        self.empty_memory
    }

    pub(crate) fn module_of(
        &self,
        vm: *mut VmCtx,
    ) -> Option<(&InstanceData, &Arc<crate::module::ModuleInner>)> {
        // SAFETY: blocks of instances live as long as the store.
        let index = unsafe { (*vm).instance };
        let instance = self.instances.get(index as usize)?;
        Some((instance, &instance.module.0))
    }
}

impl StoreInner {
    /// The module at this address, and the label of its instance if there is only one.
    pub(crate) fn instance_of(&self, module: *const ModuleInner) -> Option<(Option<&str>, &ModuleInner)> {
        let mut found = None;
        for instance in &self.instances {
            if std::ptr::eq(&*instance.module.0, module) {
                if found.is_some() {
                    return Some((None, &*instance.module.0));
                }
                found = Some(instance);
            }
        }
        found.map(|i| (i.label.as_deref(), &*i.module.0))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: these four were made by `Box::into_raw` in `new`; the store's values are dropped first, and host data that is
        // dropped with them can't reach the store any more.
        unsafe {
            let inner = Box::from_raw(self.inner.as_ptr());
            let (rt, host_vm, empty_memory) = (inner.rt, inner.host_vm, inner.empty_memory);
            drop(inner);
            drop(Box::from_raw(rt));
            drop(Box::from_raw(host_vm));
            drop(Box::from_raw(empty_memory));
        }
    }
}
