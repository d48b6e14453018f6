//! The host module `spectest` that the official core scripts import from.

use std::collections::HashMap;

use wharf_core::{
    Extern, Func, FuncType, Global, GlobalType, Memory, MemoryType, RefType, Result, Store, Table, TableType,
    Val, ValType,
};

/// Makes the items of `spectest` in `store`. The `print` functions take their arguments and do nothing: what they
/// would print is of no interest to a test.
pub(crate) fn spectest(store: &mut Store) -> Result<HashMap<String, Extern>> {
    use ValType::{F32, F64, I32, I64};
    let mut items = HashMap::new();

    let prints: [(&str, &[ValType]); 7] = [
        ("print", &[]),
        ("print_i32", &[I32]),
        ("print_i64", &[I64]),
        ("print_f32", &[F32]),
        ("print_f64", &[F64]),
        ("print_i32_f32", &[I32, F32]),
        ("print_f64_f64", &[F64, F64]),
    ];
    for (name, params) in prints {
        let func = Func::new(store, FuncType::new(params, []), |_, _| Ok(()));
        items.insert(name.to_string(), Extern::Func(func));
    }

    let globals = [
        ("global_i32", I32, Val::I32(666)),
        ("global_i64", I64, Val::I64(666)),
        ("global_f32", F32, Val::F32(666.6f32.to_bits())),
        ("global_f64", F64, Val::F64(666.6f64.to_bits())),
    ];
    for (name, content, value) in globals {
        let global = Global::new(
            store,
            GlobalType {
                content,
                mutable: false,
            },
            value,
        )?;
        items.insert(name.to_string(), Extern::Global(global));
    }

    for (name, table64) in [("table", false), ("table64", true)] {
        let ty = TableType {
            element: RefType::FUNCREF,
            minimum: 10,
            maximum: Some(20),
            table64,
        };
        items.insert(
            name.to_string(),
            Extern::Table(Table::new(store, ty, Val::FuncRef(None))?),
        );
    }

    let memory = MemoryType {
        minimum: 1,
        maximum: Some(2),
        memory64: false,
        shared: false,
        page_size_log2: 16,
    };
    items.insert("memory".to_string(), Extern::Memory(Memory::new(store, memory)?));
    Ok(items)
}
