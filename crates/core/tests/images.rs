//! Memories of later instances of a module, whose data is not copied.

use wharf_core::{Engine, Extern, Instance, Memory, Module, Store};

/// Enough data to be worth an image.
const MUCH: usize = 100_000;

fn module(engine: &Engine, fields: &str) -> Module {
    let much = "x".repeat(MUCH);
    let text = format!("(module {})", fields.replace("$much", &much));
    Module::new(engine, wat::parse_str(text).unwrap()).unwrap()
}

/// What the memory of each of three instances holds, each in a store of its own, after which its start is overwritten.
fn memories(engine: &Engine, module: &Module) -> Vec<Vec<u8>> {
    let instance = || {
        let mut store = Store::new(engine, Box::new(()));
        let instance = Instance::new(&mut store, module, &[]).unwrap();
        let memory = instance.get_memory(&store, "m").unwrap();
        let bytes = memory.data(&store).to_vec();
        memory.data_mut(&mut store).fill(7);
        assert!(memory.data(&store).iter().all(|byte| *byte == 7));
        assert_eq!(memory.grow(&mut store, 1).unwrap() as usize * 65536, bytes.len());
        assert!(memory.data(&store)[bytes.len()..].iter().all(|byte| *byte == 0));
        bytes
    };
    (0..3).map(|_| instance()).collect()
}

#[test]
fn later_instances_begin_like_the_first() {
    let engine = Engine::default();
    for (fields, ends) in [
        (
            "(memory (export \"m\") 4) (data (i32.const 70000) \"$much\")",
            170_000,
        ),
        // Later segments overwrite earlier ones.
        (
            "(memory (export \"m\") 4) (data (i32.const 10) \"$much\") (data \"passive\") (data (i32.const 11) \"yz\") (data (i32.const 9) \"w\")",
            100_010,
        ),
        // Its place has to be computed.
        (
            "(memory (export \"m\") 4) (data (i32.const 100) \"$much\") (data (i32.add (i32.const 2) (i32.const 3)) \"late\")",
            100_100,
        ),
        // The first segment goes elsewhere.
        (
            "(memory (export \"m\") 4) (memory $o 1) (data (memory $o) (i32.const 0) \"other\") (data (i32.const 3) \"$much\")",
            100_003,
        ),
        // Far apart.
        (
            "(memory (export \"m\") 400) (data (i32.const 0) \"$much\") (data (i32.const 26000000) \"end\")",
            26_000_003,
        ),
        (
            "(memory (export \"m\") i64 4) (data (i64.const 65536) \"$much\")",
            165_536,
        ),
    ] {
        let memories = memories(&engine, &module(&engine, fields));
        let head = &fields[..60.min(fields.len())];
        assert!(memories[0].contains(&b'x'), "{head}");
        assert_eq!(
            memories[0].iter().rposition(|byte| *byte != 0),
            Some(ends - 1),
            "{head}"
        );
        assert!(memories.iter().all(|memory| *memory == memories[0]), "{head}");
    }
}

#[test]
fn imported_memories_keep_what_they_hold() {
    let engine = Engine::default();
    let module = module(
        &engine,
        "(import \"a\" \"m\" (memory 4)) (data (i32.const 8) \"$much\")",
    );
    for _ in 0..3 {
        let mut store = Store::new(&engine, Box::new(()));
        let ty = module.imports().next().unwrap().ty;
        let wharf_core::ExternType::Memory(ty) = ty else {
            panic!()
        };
        let memory = Memory::new(&mut store, ty).unwrap();
        memory.data_mut(&mut store)[..8].copy_from_slice(b"01234567");
        Instance::new(&mut store, &module, &[Extern::Memory(memory)]).unwrap();
        assert_eq!(&memory.data(&store)[..9], b"01234567x");
    }
}

#[test]
fn data_out_of_bounds_fails_each_time() {
    let engine = Engine::default();
    let module = module(
        &engine,
        "(memory (export \"m\") 2) (data (i32.const 0) \"$much\") (data (i32.const 131070) \"abc\")",
    );
    for _ in 0..3 {
        let mut store = Store::new(&engine, Box::new(()));
        assert!(Instance::new(&mut store, &module, &[]).is_err());
    }
}
