//! Instances of modules (core spec, "Module Instances", "Instantiation").

use std::{alloc, ptr::NonNull, sync::Arc};

use super::{
    Extern, Func, Global, Memory, Store, StoreId, Table, Tag,
    global::GlobalData,
    imports::check_imports,
    memory::MemoryData,
    memory_image::MemoryImage,
    segments,
    table::TableData,
    vm::{VmCtx, VmFuncRef, VmGlobal, VmMemory, VmTable},
};
use crate::{
    error::{Error, Result},
    module::{ExternIndex, Module, SegmentMode},
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
    pub(super) globals: Box<[u32]>,
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
    /// `Link` when an import does not fit, `Limit` when a quota is met, `Usage` for the wrong number of imports, imports of
    /// another store or a module of another engine, and traps of segments and of the start function.
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
