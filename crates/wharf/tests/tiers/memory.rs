//! Memory at its boundaries, in every tier: what is inside works, what is outside traps and changes nothing.

use wharf::core::{Extern, Instance, Memory, Store};
use wharf::{MemoryType, TrapCode, Val};

use crate::support::{Guest, MODES, Mode, assert_trap, call, in_every_mode, module, outcome};

/// The access instructions: name, bytes, type of the value.
const LOADS: &[(&str, u64, &str)] = &[
    ("i32.load8_u", 1, "i32"),
    ("i32.load16_s", 2, "i32"),
    ("i32.load", 4, "i32"),
    ("i64.load8_s", 1, "i64"),
    ("i64.load32_u", 4, "i64"),
    ("i64.load", 8, "i64"),
    ("f32.load", 4, "f32"),
    ("f64.load", 8, "f64"),
    ("v128.load", 16, "v128"),
    ("v128.load8x8_s", 8, "v128"),
    ("v128.load32_splat", 4, "v128"),
    ("v128.load64_zero", 8, "v128"),
];
const STORES: &[(&str, u64, &str)] = &[
    ("i32.store8", 1, "i32"),
    ("i32.store16", 2, "i32"),
    ("i32.store", 4, "i32"),
    ("i64.store32", 4, "i64"),
    ("i64.store", 8, "i64"),
    ("f32.store", 4, "f32"),
    ("f64.store", 8, "f64"),
    ("v128.store", 16, "v128"),
];

const OFFSETS: [u64; 9] = [0, 1, 7, 8, 65528, 65535, 65536, 0x7fff_fff8, 0xffff_fff0];

fn constant(ty: &str) -> &'static str {
    match ty {
        "i32" => "(i32.const 0x5a5a5a5a)",
        "i64" => "(i64.const 0x5a5a5a5a5a5a5a5a)",
        "f32" => "(f32.const -1.5)",
        "f64" => "(f64.const -1.5)",
        _ => "(v128.const i64x2 0x5a5a5a5a5a5a5a5a 0x6b6b6b6b6b6b6b6b)",
    }
}

/// A module with a function for each access and offset, of memory `index`; two memories of this type, and functions that do all else.
fn wat(declaration: &str, address: &str, index: u32, offsets: &[u64]) -> String {
    let mut functions = String::new();
    for offset in offsets {
        for (name, _, ty) in LOADS {
            functions += &format!(
                "(func (export \"{name} {offset}\") (param {address}) (result {ty})
                    ({name} {index} offset={offset} (local.get 0)))\n"
            );
        }
        for (name, _, ty) in STORES {
            functions += &format!(
                "(func (export \"{name} {offset}\") (param {address})
                    ({name} {index} offset={offset} (local.get 0) {}))\n",
                constant(ty)
            );
        }
    }
    format!(
        r#"(module
        {declaration}
        (data $d "0123456789")
        (func (export "grow") (param {address}) (result {address}) (memory.grow {index} (local.get 0)))
        (func (export "size") (result {address}) (memory.size {index}))
        (func (export "fill") (param {address} {address}) (memory.fill {index} (local.get 0) (i32.const 0x77) (local.get 1)))
        (func (export "copy") (param {address} {address} {address})
            (memory.copy {index} {index} (local.get 0) (local.get 1) (local.get 2)))
        (func (export "init") (param {address} i32 i32)
            (memory.init {index} $d (local.get 0) (local.get 1) (local.get 2)))
        (func (export "grow_and_use") (param {address} {address}) (result i32)
            (i32.store {index} (local.get 0) (i32.const 99))
            (drop (memory.grow {index} (local.get 1)))
            (i32.store {index} offset=4 (local.get 0) (i32.const 98))
            (i32.add (i32.load {index} (local.get 0)) (i32.load {index} offset=4 (local.get 0))))
        {functions})"#
    )
}

fn address(ty: &str, at: u64) -> Val {
    match ty {
        "i32" => Val::I32(at as u32 as i32),
        _ => Val::I64(at as i64),
    }
}

/// Accesses of all kinds around the end of a memory; gives how many were made.
fn around_the_end(guest: &mut Guest, ty: &str, memory: Memory, offsets: &[u64]) -> usize {
    let mut accesses = 0;
    let end = memory.data(&guest.store).len() as u64;
    let top = match ty {
        "i32" => u64::from(u32::MAX),
        _ => u64::MAX,
    };
    for offset in offsets {
        for ((name, size, _), is_store) in LOADS
            .iter()
            .map(|l| (l, false))
            .chain(STORES.iter().map(|s| (s, true)))
        {
            let last = (end.wrapping_sub(*size)).wrapping_sub(*offset);
            for at in [
                last.wrapping_sub(1),
                last,
                last.wrapping_add(1),
                last.wrapping_add(size / 2),
                end.wrapping_sub(*offset),
                end,
                0,
                top,
                top / 2,
                top / 2 + 1,
                top - offset.min(&top),
            ] {
                if at > top {
                    continue;
                }
                accesses += 1;
                let effective = u128::from(at) + u128::from(*offset);
                let inside = effective + u128::from(*size) <= u128::from(end);
                let before = memory.data(&guest.store)[end.saturating_sub(64) as usize..].to_vec();
                let result = guest.call(&format!("{name} {offset}"), &[address(ty, at)]);
                if inside {
                    result.unwrap_or_else(|e| panic!("{name} {offset} at {at:#x} of {end:#x}: {e}"));
                    if is_store {
                        let bytes = &memory.data(&guest.store)[effective as usize..][..*size as usize];
                        assert!(bytes.iter().any(|b| *b != 0), "{name} {offset} at {at:#x}");
                        memory.data_mut(&mut guest.store)[effective as usize..][..*size as usize].fill(0);
                    }
                } else {
                    assert_trap(result, TrapCode::MemoryOutOfBounds);
                    let at_end = end.saturating_sub(64) as usize;
                    if cfg!(target_arch = "aarch64") && is_store {
                        // This architecture may do the part of an unaligned store that is in a page that can be written.
                        memory.data_mut(&mut guest.store)[at_end..].fill(0);
                    } else {
                        let after = &memory.data(&guest.store)[at_end..];
                        assert_eq!(
                            after, before,
                            "{name} {offset} at {at:#x} wrote before it trapped"
                        );
                    }
                }
            }
        }
    }
    // Bulk operations.
    let fits = |at: u64, len: u64| u128::from(at) + u128::from(len) <= u128::from(end);
    for (at, len) in [
        (0, 0),
        (0, end),
        (end, 0),
        (end, 1),
        (end + 1, 0),
        (end.wrapping_sub(5), 5),
        (end.wrapping_sub(5), 6),
        (top, 1),
        (top, top),
        (1, top),
    ] {
        let (a, l) = (address(ty, at), address(ty, len));
        let zero = address(ty, 0);
        let results = [
            guest.call("fill", &[a, l]),
            guest.call("copy", &[a, zero, l]),
            guest.call("copy", &[zero, a, l]),
        ];
        for result in results {
            assert_eq!(
                result.is_ok(),
                at <= top && fits(at, len),
                "{at:#x} {len:#x}: {result:?}"
            );
        }
        for count in [0, 5, 10, 11] {
            let result = guest.call("init", &[a, Val::I32(0), Val::I32(count)]);
            assert_eq!(
                result.is_ok(),
                fits(at, count as u64) && count <= 10,
                "{at:#x} {count}"
            );
        }
        accesses += 7;
    }
    memory.data_mut(&mut guest.store).fill(0);
    accesses
}

fn memory_of(guest: &Guest) -> Memory {
    guest.instance.get_memory(&guest.store, "memory").unwrap()
}

#[test]
fn accesses_at_the_boundary() {
    // The memory's declaration, the type of its addresses, its index, and the offsets that validate.
    let far = [
        OFFSETS.as_slice(),
        &[0x1_0000_0000, 0xffff_ffff_ffff_fff0, u64::MAX],
    ]
    .concat();
    let cases = [
        (r#"(memory (export "memory") 1)"#, "i32", 0, OFFSETS.as_slice()),
        (r#"(memory (export "memory") 0)"#, "i32", 0, &OFFSETS),
        (r#"(memory (export "memory") 1 1)"#, "i32", 0, &OFFSETS),
        (r#"(memory 3) (memory (export "memory") 1)"#, "i32", 1, &OFFSETS),
        (r#"(memory (export "memory") i64 1)"#, "i64", 0, &far),
        (r#"(memory (export "memory") i64 0 4)"#, "i64", 0, &far),
        (r#"(memory 1) (memory (export "memory") i64 1 1)"#, "i64", 1, &far),
    ];
    for (declaration, ty, index, offsets) in cases {
        let wat = wat(declaration, ty, index, offsets);
        for mode in [Mode::Interpreter, Mode::Eager, Mode::Sync] {
            eprintln!("{declaration} {mode:?}");
            let mut guest = Guest::new(mode, &wat);
            let memory = memory_of(&guest);
            assert!(around_the_end(&mut guest, ty, memory, offsets) > 1000);
            // Once more after growth, by the guest and by the host.
            let pages = memory.size(&guest.store);
            let grown = guest.call("grow", &[address(ty, 2)]).unwrap();
            let result = guest.call("grow_and_use", &[address(ty, 0), address(ty, 1)]);
            if memory.size(&guest.store) == pages {
                assert!(matches!(grown[..], [Val::I32(-1) | Val::I64(-1)]));
            } else {
                assert!(matches!(result.unwrap()[..], [Val::I32(197)]));
                assert_eq!(memory.size(&guest.store), pages + 3);
                memory.data_mut(&mut guest.store).fill(0);
            }
            around_the_end(&mut guest, ty, memory, &offsets[..2]);
            if memory.grow(&mut guest.store, 1).is_ok() {
                around_the_end(&mut guest, ty, memory, &offsets[3..5]);
            }
        }
    }
}

#[test]
fn growth_in_a_loop_is_seen_at_once() {
    // Each page is touched right after it was added, and just before: the one must work, the other trap.
    for (declaration, ty, index) in [
        ("(memory 0 20)", "i32", 0),
        ("(memory 1) (memory 0 20)", "i32", 1),
        ("(memory i64 0 20)", "i64", 0),
    ] {
        let wat = format!(
            r#"(module {declaration}
                (func $touch (export "touch") (param {ty}) (result i32)
                    (i32.store8 {index} (local.get 0) (i32.const 3)) (i32.load8_u {index} (local.get 0)))
                (func (export "run") (result i32) (local {ty} i32)
                    (loop
                        (if ({ty}.eq (memory.grow {index} ({ty}.const 1)) ({ty}.const -1)) (then (return (local.get 1))))
                        (i32.store8 {index} offset=65535 (local.get 0) (i32.const 1))
                        (local.set 1 (i32.add (local.get 1) (i32.load8_u {index} offset=65535 (local.get 0))))
                        (local.set 0 ({ty}.add (local.get 0) ({ty}.const 65536)))
                        (local.set 1 (i32.add (local.get 1) (call $touch ({ty}.sub (local.get 0) ({ty}.const 2)))))
                        (br 0))
                    (unreachable))
                (func (export "beyond") (result i32)
                    (call $touch ({ty}.mul (memory.size {index}) ({ty}.const 65536)))))"#
        );
        in_every_mode(|mode| {
            let mut guest = Guest::new(mode, &wat);
            assert_trap(guest.i32("beyond", &[]), TrapCode::MemoryOutOfBounds);
            assert_eq!(guest.i32("run", &[]).unwrap(), 80);
            assert_trap(guest.i32("beyond", &[]), TrapCode::MemoryOutOfBounds);
        });
    }
}

#[test]
fn instances_share_an_imported_memory() {
    const WAT: &str = r#"(module
        (import "" "memory" (memory 1))
        (import "" "other" (func $other (param i32) (result i32)))
        (func $pad)
        (func $step (export "step") (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (return (memory.size))))
            (i32.store (i32.const 4) (i32.add (i32.load (i32.const 4)) (local.get 0)))
            (if (i32.eqz (i32.rem_u (local.get 0) (i32.const 10))) (then (drop (memory.grow (i32.const 1)))))
            ;; The last byte there is, which may be one that the other instance has just added.
            (i32.store8 (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)) (local.get 0))
            (i32.add (call $other (i32.sub (local.get 0) (i32.const 1)))
                (i32.load8_u (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)))))
        (func (export "sum") (result i32) (i32.load (i32.const 4))))"#;
    let run = |mode: Mode| {
        let engine = mode.engine();
        let module = module(&engine, WAT);
        let mut store = Store::new(&engine, Box::new(()));
        let memory = Memory::new(&mut store, MemoryType::new(1, Some(40))).unwrap();
        let ty = wharf::FuncType::new([wharf::ValType::I32], [wharf::ValType::I32]);
        let end = wharf::core::Func::new(&mut store, ty, move |store, slots| {
            memory.grow(store, 1)?;
            slots[0] += memory.size(store);
            Ok(())
        });
        let first = Instance::new(&mut store, &module, &[Extern::Memory(memory), Extern::Func(end)]).unwrap();
        let mut next = first.get_func(&store, "step").unwrap();
        for _ in 0..5 {
            let imports = [Extern::Memory(memory), Extern::Func(next)];
            let instance = Instance::new(&mut store, &module, &imports).unwrap();
            next = instance.get_func(&store, "step").unwrap();
        }
        let mut seen = Vec::new();
        for n in [3, 30, 10, 20, 6, 7, 40] {
            let result = call(&mut store, next, &[Val::I32(n)]);
            let sum = first.get_func(&store, "sum").unwrap();
            seen.push(outcome(&result) + &outcome(&call(&mut store, sum, &[])));
        }
        seen
    };
    let expected = run(Mode::Interpreter);
    for mode in MODES {
        assert_eq!(run(mode), expected, "{mode:?}");
    }
}

#[test]
fn a_module_without_memory_calls_one_that_has() {
    const OUTER: &str = r#"(module
        (import "" "load" (func $load (param i32) (result i32)))
        (func (export "run") (param i32) (result i32) (i32.add (call $load (local.get 0)) (call $load (i32.const 0)))))"#;
    const INNER: &str = r#"(module (memory 1) (data (i32.const 0) "\05")
        (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))"#;
    in_every_mode(|mode| {
        let engine = mode.engine();
        let mut guest = Guest::with_imports(&engine, OUTER, |store| {
            let module = module(&engine, INNER);
            let inner = Instance::new(store, &module, &[]).unwrap();
            vec![inner.get_export(store, "load").unwrap()]
        });
        for _ in 0..3 {
            assert_eq!(guest.i32("run", &[65532]).unwrap(), 5);
            assert_trap(guest.i32("run", &[65533]), TrapCode::MemoryOutOfBounds);
            assert_trap(guest.i32("run", &[-1]), TrapCode::MemoryOutOfBounds);
        }
    });
}
