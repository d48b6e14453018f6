//! Where everything lies in the state block of an instance of a module.

use crate::runtime::vm::{VmCtx, VmFuncRef};

/// Byte offsets into the block that begins with a `VmCtx`. Computed once per module; both tiers use it.
///
/// `VmCtx | memories: *mut VmMemory | tables: *mut VmTable | imported funcs: *const VmFuncRef |
/// imported globals: *mut VmGlobal | globals: VmGlobal | func refs: VmFuncRef`
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) memories: u32,
    pub(crate) tables: u32,
    pub(crate) imported_funcs: u32,
    pub(crate) imported_globals: u32,
    pub(crate) globals: u32,
    pub(crate) func_refs: u32,
    pub(crate) size: u32,
}

impl Layout {
    /// The layout for these numbers of things; validation keeps them small enough for 32 bits.
    pub(crate) fn new(
        memories: usize,
        tables: usize,
        imported_funcs: usize,
        imported_globals: usize,
        globals: usize,
        func_refs: usize,
    ) -> Layout {
        const PTR: usize = size_of::<*mut ()>();
        let mut next = size_of::<VmCtx>();
        let mut place = |count: usize, size: usize, align: usize| {
            next = next.next_multiple_of(align);
            let at = next;
            next += count * size;
            at as u32
        };
        let memories = place(memories, PTR, PTR);
        let tables = place(tables, PTR, PTR);
        let imported_funcs = place(imported_funcs, PTR, PTR);
        let imported_globals = place(imported_globals, PTR, PTR);
        let globals = place(globals, 16, 16);
        let func_refs = place(func_refs, size_of::<VmFuncRef>(), align_of::<VmFuncRef>());
        Layout {
            memories,
            tables,
            imported_funcs,
            imported_globals,
            globals,
            func_refs,
            size: next.next_multiple_of(16) as u32,
        }
    }
}
