//! A small bytecode machine: a `br_table` in a loop, as interpreters compiled to Wasm have it.

#[derive(Clone, Copy)]
#[repr(u8)]
enum Op {
    Const,
    Get,
    Set,
    Add,
    Sub,
    Mul,
    And,
    Xor,
    Shr,
    Lt,
    Jump,
    JumpIf,
    Load,
    Store,
    Dup,
    Halt,
}

use Op::*;

/// Sums a mix of loop counters into memory: `for i in 0..n { for j in 0..16 { m[j] = (m[j] * 31 + i) ^ j } }`.
static PROGRAM: &[(Op, i32)] = &[
    (Const, 0),    // 0
    (Set, 1),      // 1   i = 0
    (Get, 1),      // 2   outer:
    (Get, 0),      // 3
    (Lt, 0),       // 4
    (JumpIf, 7),   // 5
    (Jump, 29),    // 6
    (Const, 0),    // 7
    (Set, 2),      // 8   j = 0
    (Get, 2),      // 9   inner:
    (Load, 0),     // 10
    (Const, 31),   // 11
    (Mul, 0),      // 12
    (Get, 1),      // 13
    (Add, 0),      // 14
    (Get, 2),      // 15
    (Xor, 0),      // 16
    (Get, 2),      // 17
    (Store, 0),    // 18
    (Get, 2),      // 19
    (Const, 1),    // 20
    (Add, 0),      // 21
    (Dup, 0),      // 22
    (Set, 2),      // 23
    (Const, 16),   // 24
    (Lt, 0),       // 25
    (JumpIf, 9),   // 26
    (Const, 1),    // 27
    (Jump, 30),    // 28
    (Halt, 0),     // 29
    (Get, 1),      // 30
    (Add, 0),      // 31
    (Set, 1),      // 32
    (Const, 7),    // 33
    (Const, 3),    // 34
    (Sub, 0),      // 35
    (Const, 15),   // 36
    (And, 0),      // 37
    (Const, 1),    // 38
    (Shr, 0),      // 39
    (Set, 3),      // 40
    (Jump, 2),     // 41
];

fn run(program: &[(Op, i32)], n: i32, memory: &mut [i32; 16]) {
    let mut locals = [n, 0, 0, 0];
    let mut stack = [0i32; 16];
    let mut sp = 0usize;
    let mut pc = 0usize;
    macro_rules! pop {
        () => {{
            sp -= 1;
            stack[sp & 15]
        }};
    }
    macro_rules! push {
        ($v:expr) => {{
            let v = $v;
            stack[sp & 15] = v;
            sp += 1;
        }};
    }
    macro_rules! binary {
        (|$a:ident, $b:ident| $e:expr) => {{
            let $b = pop!();
            let $a = pop!();
            push!($e);
        }};
    }
    loop {
        let (op, imm) = program[pc];
        pc += 1;
        match op {
            Const => push!(imm),
            Get => push!(locals[(imm & 3) as usize]),
            Set => locals[(imm & 3) as usize] = pop!(),
            Add => binary!(|a, b| a.wrapping_add(b)),
            Sub => binary!(|a, b| a.wrapping_sub(b)),
            Mul => binary!(|a, b| a.wrapping_mul(b)),
            And => binary!(|a, b| a & b),
            Xor => binary!(|a, b| a ^ b),
            Shr => binary!(|a, b| a.wrapping_shr(b as u32)),
            Lt => binary!(|a, b| i32::from(a < b)),
            Jump => pc = imm as usize,
            JumpIf => {
                if pop!() != 0 {
                    pc = imm as usize;
                }
            }
            Load => {
                let i = pop!();
                push!(memory[(i & 15) as usize]);
            }
            Store => {
                let i = pop!();
                memory[(i & 15) as usize] = pop!();
            }
            Dup => {
                let v = pop!();
                push!(v);
                push!(v);
            }
            Halt => return,
        }
    }
}

/// Runs the program with `n` rounds and gives a mix of its memory.
#[unsafe(no_mangle)]
extern "C" fn vm(n: u32) -> u64 {
    let mut memory = [0i32; 16];
    run(core::hint::black_box(PROGRAM), n as i32, &mut memory);
    memory.iter().fold(0u64, |h, v| h.wrapping_mul(0x100_0000_01b3) ^ u64::from(*v as u32))
}
