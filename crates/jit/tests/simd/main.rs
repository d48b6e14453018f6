//! Every vector operator gives the same in machine code as in the interpreter, for operands at the edges of what lanes can hold.

mod chains;
mod operands;
mod operators;

use std::sync::Arc;

use operators::{layout, operators};
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

    /// The memory after a function was called on each area of it.
    fn apply(&mut self, function: &str, operands: &[u8]) -> &[u8] {
        self.memory.data_mut(&mut self.store)[..operands.len()].copy_from_slice(operands);
        let func = self.instance.get_func(&self.store, function).unwrap();
        for at in (0..operands.len()).step_by(layout::SIZE) {
            func.call_raw(&mut self.store, &mut [at as u64]).unwrap();
        }
        &self.memory.data(&self.store)[..operands.len()]
    }
}

/// Instances of a module that are interpreted and compiled, with this many functions; none where nothing can be compiled.
fn subjects(wat: &str, functions: usize) -> Option<[Subject; 2]> {
    let compiler = match Cranelift::new() {
        Ok(compiler) => compiler,
        Err(e) if matches!(e.kind(), ErrorKind::Unsupported(_)) => return None,
        Err(e) => panic!("{e}"),
    };
    let wasm = wat::parse_str(wat).unwrap();
    let mut config = Config::new();
    let interpreting = Engine::new(config.tier(Tier::Off)).unwrap();
    let compiling = Engine::with_compiler(config.tier(Tier::Eager), Arc::new(compiler)).unwrap();
    let subjects = [&interpreting, &compiling].map(|engine| Subject::new(engine, &wasm));
    assert_eq!(compiling.tier_stats().failed, 0);
    assert_eq!(compiling.tier_stats().compiled, functions);
    Some(subjects)
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
    let Some([mut interpreted, mut compiled]) = subjects(&operators::module(), operators().count()) else {
        return;
    };
    let operands = memory();
    for operator in operators() {
        let expected = interpreted.apply(operator.name, &operands);
        let found = compiled.apply(operator.name, &operands);
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

#[test]
fn chains_agree_with_the_interpreter() {
    const FUNCTIONS: usize = 200;
    let text = chains::module(FUNCTIONS);
    let Some([mut interpreted, mut compiled]) = subjects(&text, FUNCTIONS) else {
        return;
    };
    let operands = memory();
    for (function, text) in text.split("(func").skip(1).enumerate() {
        // Other operands for each; all would take long.
        let chosen: Vec<u8> = operands
            .chunks(layout::SIZE)
            .skip(function % 7)
            .step_by(13)
            .flatten()
            .copied()
            .collect();
        let function = function.to_string();
        let expected = interpreted.apply(&function, &chosen);
        let found = compiled.apply(&function, &chosen);
        assert!(expected != chosen, "{text} does nothing");
        let areas = expected.chunks(layout::SIZE).zip(found.chunks(layout::SIZE));
        for ((expected, found), operands) in areas.zip(chosen.chunks(layout::SIZE)) {
            assert!(
                expected == found,
                "of {:02x?}:\n{found:02x?}, not\n{expected:02x?}\n{text}",
                &operands[..layout::ZERO]
            );
        }
    }
}
