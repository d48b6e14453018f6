//! Instances of modules (core spec, "Module Instances", "Instantiation").

use std::{alloc, ptr::NonNull, sync::Arc};

use super::{
    Extern, Func, Global, Memory, Store, StoreId, Table, Tag,
    global::GlobalData,
    memory::MemoryData,
    memory_image::MemoryImage,
    store::StoreInner,
    table::TableData,
    vm::{VmCtx, VmFuncRef, VmGlobal, VmMemory, VmTable},
};
use crate::{
    error::{Error, Result},
    module::{ConstExpr, ElementItems, ExternIndex, ImportKind, Module, ModuleInner, SegmentMode},
    trap::TrapCode,
    types::{ExternType, ValType},
};

/// An instance of a module in a store.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Instance {
    pub(crate) store: StoreId,
    pub(crate) index: u32,
}

/// What the store keeps of an instance beside its state block.
pub(crate) struct InstanceData {
    pub(crate) vm: *mut VmCtx,
    pub(crate) module: Module,
    pub(crate) label: Option<Arc<str>>,
    /// Store indices of all memories, tables, globals and tags of the module's index spaces.
    pub(crate) memories: Box<[u32]>,
    pub(crate) tables: Box<[u32]>,
    globals: Box<[u32]>,
    tags: Box<[u32]>,
    /// Segments that were dropped and count as empty.
    pub(crate) dropped_elements: Box<[bool]>,
    pub(crate) dropped_data: Box<[bool]>,
}

impl InstanceData {
    fn layout(size: u32) -> alloc::Layout {
        match alloc::Layout::from_size_align(size as usize, 16) {
            Ok(layout) => layout,
            Err(e) => unreachable!("a state block is far smaller than the address space: {e}"),
        }
    }
}

impl Drop for InstanceData {
    fn drop(&mut self) {
        // SAFETY: allocated in `Instance::allocate` with this layout; only the store that is going away refers to it.
        unsafe { alloc::dealloc(self.vm.cast(), Self::layout(self.module.0.layout.size)) };
    }
}

impl Instance {
    /// Makes an instance: checks the imports (in the order of [`Module::imports`]), allocates, copies the active segments and
    /// calls the start function.
    ///
    /// # Errors
    /// `Link` when an import does not fit, `Limit` when a quota is met, `Usage` for the wrong number of imports or imports of
    /// another store, and traps of segments and of the start function.
    pub fn new(store: &mut Store, module: &Module, imports: &[Extern]) -> Result<Instance> {
        check_imports(store, module, imports)?;
        let image = module.0.image.get(&module.0);
        let instance = Instance::allocate(store, module, imports, image)?;
        instance.initialise(store, module, image)?;
        if let Some(start) = module.0.start {
            instance.func(store, start).call(store, &[], &mut [])?;
        }
        Ok(instance)
    }

    fn allocate(
        store: &mut Store,
        module: &Module,
        imports: &[Extern],
        image: Option<&MemoryImage>,
    ) -> Result<Instance> {
        let inner = &*module.0;
        // Room for all, so that boxing them does not move them.
        let mut memories = Vec::with_capacity(inner.memories.len());
        let mut tables = Vec::with_capacity(inner.tables.len());
        let mut globals = Vec::with_capacity(inner.globals.len());
        let mut tags = Vec::with_capacity(inner.tags.len());
        for import in imports {
            match import {
                Extern::Memory(memory) => memories.push(memory.index),
                Extern::Table(table) => tables.push(table.index),
                Extern::Global(global) => globals.push(global.index),
                Extern::Tag(tag) => tags.push(tag.index),
                Extern::Func(_) => {}
            }
        }

        let owner = store.inner_mut();
        if owner.instances.len() as u64 >= owner.limits.instances.into() {
            return Err(Error::limit(
                "the store has as many instances as its quota allows",
            ));
        }
        for i in inner.imported_memories..inner.memories.len() as u32 {
            let image = image.filter(|image| image.memory == i).map(|image| &image.image);
            memories.push(MemoryData::create(owner, inner.memories[i as usize], image)?);
        }
        for table in &inner.tables[inner.imported_tables as usize..] {
            tables.push(TableData::create(owner, table.ty, 0)?);
        }
        for ty in &inner.tags[tags.len()..] {
            owner.tags.push(crate::types::TagType {
                func: (*inner.types[*ty as usize]).clone(),
            });
            tags.push(owner.tags.len() as u32 - 1);
        }

        let layout = &inner.layout;
        let index = owner.instances.len() as u32;
        // SAFETY: the size is not zero, because the block begins with a `VmCtx`.
        let block = unsafe { alloc::alloc_zeroed(InstanceData::layout(layout.size)) };
        let Some(block) = NonNull::new(block) else {
            return Err(Error::limit("no memory for the state of an instance"));
        };
        let block = block.as_ptr();
        let vm: *mut VmCtx = block.cast();
        let memory0 = match memories.first() {
            Some(m) => &raw mut owner.memories[*m as usize].vm,
            None => owner.empty_memory(),
        };
        // SAFETY: all offsets of the module's layout lie in the block, aligned for what is written there; nothing else refers to
        // the block yet.
        unsafe {
            let memory_list: *mut *mut VmMemory = block.add(layout.memories as usize).cast();
            vm.write(VmCtx::new(owner.rt, memory0, memory_list, inner, index));
            for (i, m) in memories.iter().enumerate() {
                memory_list.add(i).write(&raw mut owner.memories[*m as usize].vm);
            }
            let table_list: *mut *mut VmTable = block.add(layout.tables as usize).cast();
            for (i, t) in tables.iter().enumerate() {
                table_list.add(i).write(&raw mut owner.tables[*t as usize].vm);
            }
            let funcs: *mut *const VmFuncRef = block.add(layout.imported_funcs as usize).cast();
            for (i, f) in imports.iter().filter_map(|e| e.into_func()).enumerate() {
                funcs.add(i).write(f.ptr.as_ptr());
            }
            let imported_globals: *mut *mut VmGlobal = block.add(layout.imported_globals as usize).cast();
            for (i, g) in globals.iter().enumerate() {
                imported_globals.add(i).write(owner.globals[*g as usize].cell);
            }
            let cells: *mut VmGlobal = block.add(layout.globals as usize).cast();
            for (i, global) in inner.globals[inner.imported_globals as usize..]
                .iter()
                .enumerate()
            {
                owner.globals.push(GlobalData {
                    ty: global.ty,
                    cell: cells.add(i),
                    own: None,
                });
                globals.push(owner.globals.len() as u32 - 1);
            }
            let func_refs: *mut VmFuncRef = block.add(layout.func_refs as usize).cast();
            for (place, (func, sig)) in inner.func_refs.iter().enumerate() {
                func_refs.add(place).write(VmFuncRef {
                    code: inner.code.cell(*func),
                    vm,
                    sig: sig.0,
                    index: *func,
                });
            }
        }
        owner.instances.push(InstanceData {
            vm,
            module: module.clone(),
            label: None,
            memories: memories.into(),
            tables: tables.into(),
            globals: globals.into(),
            tags: tags.into(),
            dropped_elements: vec![false; inner.elements.len()].into(),
            dropped_data: vec![false; inner.data.len()].into(),
        });
        Ok(Instance {
            store: owner.id,
            index,
        })
    }

    /// Gives globals and tables their first values and copies the active segments, as far as the image does not have them.
    fn initialise(&self, store: &mut Store, module: &Module, image: Option<&MemoryImage>) -> Result<()> {
        let owner = store.inner_mut();
        let index = self.index as usize;
        let module = &*module.0;
        for i in module.imported_globals as usize..module.globals.len() {
            if let Some(init) = &module.globals[i].init {
                let value = segments::eval(owner, index, init);
                let cell = owner.globals[owner.instances[index].globals[i] as usize].cell;
                // SAFETY: the cell lies in this instance's block; no guest code runs.
                unsafe { (*cell).0 = [value as u64, (value >> 64) as u64] };
            }
        }
        for (i, table) in module.tables.iter().enumerate() {
            if let Some(init) = &table.init {
                let value = segments::eval(owner, index, init) as u64;
                let table = owner.instances[index].tables[i] as usize;
                owner.tables[table].elements_mut().fill(value);
            }
        }
        for (i, element) in module.elements.iter().enumerate() {
            if let SegmentMode::Active { index: table, offset } = &element.mode {
                let at = segments::eval(owner, index, offset) as u64;
                segments::table_init(
                    owner,
                    index,
                    i,
                    *table as usize,
                    at,
                    0,
                    element.items.len() as u64,
                )?;
            }
            if !matches!(element.mode, SegmentMode::Passive) {
                owner.instances[index].dropped_elements[i] = true;
            }
        }
        let mapped = image.map_or(0, |image| image.segments);
        for (i, data) in module.data.iter().enumerate() {
            if let SegmentMode::Active {
                index: memory,
                offset,
            } = &data.mode
            {
                if i >= mapped {
                    let at = segments::eval(owner, index, offset) as u64;
                    segments::memory_init(owner, index, i, *memory as usize, at, 0, data.range.len() as u64)?;
                }
                owner.instances[index].dropped_data[i] = true;
            }
        }
        Ok(())
    }

    fn data<'a>(&self, store: &'a Store) -> &'a InstanceData {
        let inner = store.inner();
        inner.check(self.store);
        &inner.instances[self.index as usize]
    }

    /// The module that it is an instance of.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn module<'a>(&self, store: &'a Store) -> &'a Module {
        &self.data(store).module
    }

    /// Names the instance in backtraces.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn set_label(&self, store: &mut Store, label: impl Into<Arc<str>>) {
        let inner = store.inner_mut();
        inner.check(self.store);
        inner.instances[self.index as usize].label = Some(label.into());
    }

    fn func(&self, store: &Store, func: u32) -> Func {
        let inner = store.inner();
        let raw = segments::func_ref(inner, self.index as usize, func);
        match Func::from_raw(self.store, raw) {
            Some(func) => func,
            None => unreachable!("functions of an instance are not null"),
        }
    }

    fn extern_at(&self, store: &Store, index: ExternIndex) -> Extern {
        let data = self.data(store);
        let store_id = self.store;
        match index {
            ExternIndex::Func(i) => Extern::Func(self.func(store, i)),
            ExternIndex::Memory(i) => Extern::Memory(Memory {
                store: store_id,
                index: data.memories[i as usize],
            }),
            ExternIndex::Table(i) => Extern::Table(Table {
                store: store_id,
                index: data.tables[i as usize],
            }),
            ExternIndex::Global(i) => Extern::Global(Global {
                store: store_id,
                index: data.globals[i as usize],
            }),
            ExternIndex::Tag(i) => Extern::Tag(Tag {
                store: store_id,
                index: data.tags[i as usize],
            }),
        }
    }

    /// The export of this name.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn get_export(&self, store: &Store, name: &str) -> Option<Extern> {
        let index = self.data(store).module.export_index(name)?;
        self.export_at(store, index)
    }

    /// The export at this place among [`Module::exports`].
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn export_at(&self, store: &Store, index: u32) -> Option<Extern> {
        let export = self.data(store).module.0.exports.get(index as usize)?.index;
        Some(self.extern_at(store, export))
    }

    /// The exports by name, in the order of the module.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn exports<'a>(&'a self, store: &'a Store) -> impl ExactSizeIterator<Item = (&'a str, Extern)> + 'a {
        let exports = &self.data(store).module.0.exports;
        exports
            .iter()
            .map(move |e| (e.name.as_str(), self.extern_at(store, e.index)))
    }

    /// The exported function of this name.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn get_func(&self, store: &Store, name: &str) -> Option<Func> {
        self.get_export(store, name)?.into_func()
    }

    /// The exported memory of this name.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn get_memory(&self, store: &Store, name: &str) -> Option<Memory> {
        self.get_export(store, name)?.into_memory()
    }
}

/// Segments, references and constant expressions of an instance; used at instantiation and by the bulk instructions.
pub(crate) mod segments {
    use super::*;

    /// The reference of a function of an instance, as a raw slot.
    pub(crate) fn func_ref(store: &StoreInner, instance: usize, func: u32) -> u64 {
        let data = &store.instances[instance];
        func_ref_in(data.vm, &data.module.0, func)
    }

    /// The same; `vm` is the state block of an instance of the module.
    fn func_ref_in(vm: *const VmCtx, module: &ModuleInner, func: u32) -> u64 {
        let layout = &module.layout;
        let block: *const u8 = vm.cast();
        if func < module.imported_funcs {
            // SAFETY: the list of imported functions lies there in the block.
            let list: *const *const VmFuncRef = unsafe { block.add(layout.imported_funcs as usize) }.cast();
            // SAFETY: the list has one entry per imported function.
            return unsafe { *list.add(func as usize) } as u64;
        }
        match module.funcs[func as usize].func_ref {
            Some(place) => {
                let at = layout.func_refs as usize + place as usize * size_of::<VmFuncRef>();
                block.wrapping_add(at) as u64
            }
            None => unreachable!("decoding gives each function that is referred to its place"),
        }
    }

    pub(crate) fn eval(store: &StoreInner, instance: usize, expr: &ConstExpr) -> u128 {
        let global = |i: u32| {
            let cell = store.globals[store.instances[instance].globals[i as usize] as usize].cell;
            // SAFETY: cells live as long as their store; no guest code runs meanwhile.
            let [low, high] = unsafe { (*cell).0 };
            u128::from(low) | u128::from(high) << 64
        };
        expr.eval(global, |f| func_ref(store, instance, f))
    }

    fn range(at: u64, len: u64, size: usize) -> Option<std::ops::Range<usize>> {
        let end = at.checked_add(len).filter(|end| *end <= size as u64)?;
        Some(at as usize..end as usize)
    }

    /// `table.init`, also for active segments.
    pub(crate) fn table_init(
        store: &mut StoreInner,
        instance: usize,
        segment: usize,
        table: usize,
        at: u64,
        from: u64,
        len: u64,
    ) -> Result<(), TrapCode> {
        let data = &store.instances[instance];
        let module: std::sync::Arc<ModuleInner> = data.module.0.clone();
        let table = data.tables[table] as usize;
        let items = &module.elements[segment].items;
        let size = if data.dropped_elements[segment] {
            0
        } else {
            items.len()
        };
        let source = range(from, len, size).ok_or(TrapCode::TableOutOfBounds)?;
        let target =
            range(at, len, store.tables[table].elements().len()).ok_or(TrapCode::TableOutOfBounds)?;
        match items {
            ElementItems::Funcs(funcs) => {
                let vm = data.vm;
                let elements = &mut store.tables[table].elements_mut()[target];
                for (element, func) in elements.iter_mut().zip(&funcs[source]) {
                    *element = func_ref_in(vm, &module, *func);
                }
            }
            ElementItems::Exprs(exprs) => {
                let values = exprs[source]
                    .iter()
                    .map(|expr| eval(store, instance, expr) as u64);
                let values: Vec<u64> = values.collect();
                store.tables[table].elements_mut()[target].copy_from_slice(&values);
            }
        }
        Ok(())
    }

    /// `memory.init`, also for active segments.
    pub(crate) fn memory_init(
        store: &mut StoreInner,
        instance: usize,
        segment: usize,
        memory: usize,
        at: u64,
        from: u64,
        len: u64,
    ) -> Result<(), TrapCode> {
        let data = &store.instances[instance];
        let module = &*data.module.0;
        let bytes = &module.bytes[module.data[segment].range.clone()];
        let bytes = if data.dropped_data[segment] { &[] } else { bytes };
        let source = range(from, len, bytes.len()).ok_or(TrapCode::MemoryOutOfBounds)?;
        let vm = &store.memories[data.memories[memory] as usize].vm;
        let target = range(at, len, vm.len).ok_or(TrapCode::MemoryOutOfBounds)?;
        // SAFETY: both ranges were checked; a module's bytes and a memory do not overlap.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes[source].as_ptr(), vm.base.add(target.start), target.len())
        };
        Ok(())
    }
}

fn check_imports(store: &Store, module: &Module, imports: &[Extern]) -> Result<()> {
    let wanted = &module.0.imports;
    if wanted.len() != imports.len() {
        return Err(Error::usage(format!(
            "the module has {} imports, {} were given",
            wanted.len(),
            imports.len()
        )));
    }
    for (want, have) in wanted.iter().zip(imports) {
        have.check_store(store)?;
        let fits = match (want.kind, have) {
            (ImportKind::Func { ty }, Extern::Func(f)) => module.0.sigs[ty as usize] == f.sig(store),
            (ImportKind::Memory(want), Extern::Memory(m)) => {
                let have = m.ty(store);
                want.memory64 == have.memory64
                    && want.shared == have.shared
                    && want.page_size_log2 == have.page_size_log2
                    && limits_fit(have.minimum, have.maximum, want.minimum, want.maximum)
            }
            (ImportKind::Table(want), Extern::Table(t)) => {
                let have = t.ty(store);
                want.table64 == have.table64
                    && want.element == have.element
                    && limits_fit(have.minimum, have.maximum, want.minimum, want.maximum)
            }
            (ImportKind::Global(want), Extern::Global(g)) => {
                let have = g.ty(store);
                want.mutable == have.mutable && value_fits(have.content, want.content, want.mutable)
            }
            (ImportKind::Tag { ty }, Extern::Tag(t)) => *module.0.types[ty as usize] == t.ty(store).func,
            _ => false,
        };
        if !fits {
            let want_ty: ExternType = module
                .imports()
                .zip(wanted)
                .find(|(_, w)| std::ptr::eq(*w, want))
                .map(|(i, _)| i.ty)
                .unwrap_or_else(|| have.ty(store));
            return Err(Error::link(format!(
                "incompatible import type for `{}` `{}`: expected {want_ty}, found {}",
                want.module,
                want.name,
                have.ty(store)
            )));
        }
    }
    Ok(())
}

fn limits_fit(have_min: u64, have_max: Option<u64>, want_min: u64, want_max: Option<u64>) -> bool {
    have_min >= want_min
        && match (have_max, want_max) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(have), Some(want)) => have <= want,
        }
}

fn value_fits(have: ValType, want: ValType, exactly: bool) -> bool {
    match (have, want) {
        (ValType::Ref(have), ValType::Ref(want)) if !exactly => {
            have.heap == want.heap && (want.nullable || !have.nullable)
        }
        _ => have == want,
    }
}
