//! Segments, references and constant expressions of an instance; used at instantiation and by the bulk instructions.

use std::sync::Arc;

use super::{
    store::StoreInner,
    vm::{VmCtx, VmFuncRef},
};
use crate::{
    module::{ConstExpr, ElementItems, ModuleInner},
    trap::TrapCode,
};

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

/// The value of a constant expression in an instance.
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
    let module: Arc<ModuleInner> = data.module.0.clone();
    let table = data.tables[table] as usize;
    let items = &module.elements[segment].items;
    let size = if data.dropped_elements[segment] {
        0
    } else {
        items.len()
    };
    let source = range(from, len, size).ok_or(TrapCode::TableOutOfBounds)?;
    let target = range(at, len, store.tables[table].elements().len()).ok_or(TrapCode::TableOutOfBounds)?;
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
    unsafe { std::ptr::copy_nonoverlapping(bytes[source].as_ptr(), vm.base.add(target.start), target.len()) };
    Ok(())
}
