//! Every vector operator gives the same in machine code as in the interpreter, for operands at the edges of what lanes can hold.

mod operands;
mod operators;

use std::sync::Arc;

use operators::{Operator, layout, operators};
use wharf_core::{Config, Engine, ErrorKind, Extern, Instance, Memory, Module, Store, Tier};
use wharf_jit::Cranelift;

/// An instance of the module with all operators.
struct Subject {
    store: Store,
    instance: Instance,
    memory: Memory,
}

impl Subject {
    fn new(engine: &Engine, wasm: &[u8]) -> Subject {
        let module = Module::new(engine, wasm).unwrap();
        let mut store = Store::new(engine, Box::new(()));
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let Some(Extern::Memory(memory)) = instance.get_export(&store, "memory") else {
            panic!("no memory");
        };
        Subject {
            store,
            instance,
            memory,
        }
    }

    /// The memory after an operator was applied to all operands in it.
    fn apply(&mut self, operator: &Operator, operands: &[u8]) -> &[u8] {
        self.memory.data_mut(&mut self.store)[..operands.len()].copy_from_slice(operands);
        let func = self.instance.get_func(&self.store, operator.name).unwrap();
        for at in (0..operands.len()).step_by(layout::SIZE) {
            func.call_raw(&mut self.store, &mut [at as u64]).unwrap();
        }
        &self.memory.data(&self.store)[..operands.len()]
    }
}

/// Memory with the operands of all calls.
fn memory() -> Vec<u8> {
    let vectors = operands::vectors();
    let count = vectors.len();
    let mut memory = vec![0x55; count * count * layout::SIZE];
    for (call, area) in memory.chunks_mut(layout::SIZE).enumerate() {
        let (first, second) = (call / count, call % count);
        let third = (7 * call + first) % count;
        for (place, vector) in [first, second, third].into_iter().enumerate() {
            area[16 * place..][..16].copy_from_slice(&vectors[vector]);
        }
        area[layout::ZERO..][..16].fill(0);
    }
    memory
}

/// Whether lanes are the same, or quiet NaNs.
fn same_floats(expected: &[u8], found: &[u8]) -> bool {
    let quiet_nan = |lane: &[u8]| match lane.try_into().map(u32::from_le_bytes) {
        Ok(bits) => bits & 0x7fc0_0000 == 0x7fc0_0000,
        Err(_) => u64::from_le_bytes(lane.try_into().unwrap()) & 0x7ff8 << 48 == 0x7ff8 << 48,
    };
    expected == found || quiet_nan(expected) && quiet_nan(found)
}

#[test]
fn machine_code_agrees_with_the_interpreter() {
    let compiler = match Cranelift::new() {
        Ok(compiler) => compiler,
        Err(e) if matches!(e.kind(), ErrorKind::Unsupported(_)) => return,
        Err(e) => panic!("{e}"),
    };
    let wasm = wat::parse_str(operators::module()).unwrap();
    let mut config = Config::new();
    let interpreting = Engine::new(config.tier(Tier::Off)).unwrap();
    let compiling = Engine::with_compiler(config.tier(Tier::Eager), Arc::new(compiler)).unwrap();
    let mut interpreted = Subject::new(&interpreting, &wasm);
    let mut compiled = Subject::new(&compiling, &wasm);
    assert_eq!(compiling.tier_stats().failed, 0);
    assert_eq!(compiling.tier_stats().compiled, operators().count());

    let operands = memory();
    for operator in operators() {
        let expected = interpreted.apply(&operator, &operands);
        let found = compiled.apply(&operator, &operands);
        assert!(expected != operands, "{} does nothing", operator.name);
        let areas = expected.chunks(layout::SIZE).zip(found.chunks(layout::SIZE));
        for (area, (expected, found)) in areas.enumerate() {
            if expected == found {
                continue;
            }
            let same = operator.computes_floats().is_some_and(|width| {
                let mut lanes = expected.chunks(width).zip(found.chunks(width));
                lanes.all(|(expected, found)| same_floats(expected, found))
            });
            let different = || {
                let slots = expected.chunks(16).zip(found.chunks(16)).enumerate();
                let slots = slots.filter(|(_, (expected, found))| expected != found);
                slots.map(|(slot, (expected, found))| format!("{slot}: {found:02x?}, not {expected:02x?}\n"))
            };
            assert!(
                same,
                "{} of {:02x?}:\n{}",
                operator.name,
                &operands[area * layout::SIZE..][..layout::ZERO],
                different().collect::<String>()
            );
        }
    }
}
