//! Bytecode as text.

use std::{collections::HashMap, fmt::Write, sync::OnceLock};

use super::{Group, Inst, OP_COUNT, Op};
use crate::interp;

/// One line per instruction: its number, name, form and operands.
pub(crate) fn disassemble(code: &[Inst]) -> String {
    static OPS: OnceLock<HashMap<usize, Op>> = OnceLock::new();
    let ops = OPS.get_or_init(|| {
        (0..OP_COUNT as u16)
            .map(|i| (interp::handler(Op(i)), Op(i)))
            .collect()
    });
    let mut text = String::new();
    for (i, inst) in code.iter().enumerate() {
        let o = inst.operands;
        // Writing to a string does not fail.
        let _ = match ops.get(&inst.handler) {
            Some(op) => {
                writeln!(
                    text,
                    "{i:>5} {:<20} {} {} {} {} (imm {})",
                    op.name(),
                    o.a,
                    o.b,
                    o.c,
                    o.d,
                    o.imm() as i32
                )
            }
            None => writeln!(text, "{i:>5} .data {:#x} {:#x}", inst.handler, o.value()),
        };
    }
    text
}

impl Op {
    /// The name of the operation and the number of its form.
    pub(crate) fn name(self) -> String {
        for group in Group::ALL {
            if let Some((index, form)) = group.contains(self) {
                let name = group.names[index as usize];
                return if group.forms == 1 {
                    name.to_string()
                } else {
                    format!("{name}.{form}")
                };
            }
        }
        format!("op{}", self.0)
    }
}
