//! Operators that use each other's results, picked without a pattern: compilers choose instructions for several at once.

use std::fmt::Write;

use crate::operators::{Operator, operators};

/// Vectors that a function works on, and stores when it is done.
const VARIABLES: usize = 6;

/// Operators in a function.
const LENGTH: usize = 20;

/// Numbers without a pattern.
struct Numbers(u64);

impl Numbers {
    /// A number below a limit.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// A module with this many functions `(param $at i32)`, exported under their numbers, and a memory. A function takes three vectors from the
/// address and replaces them, and the zeros that follow, with its variables.
pub fn module(functions: usize) -> String {
    let candidates: Vec<Operator> = operators()
        .filter(|o| matches!(o.signature, "v>v" | "vv>v" | "vvv>v" | "vi>v" | "v>i"))
        .collect();
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let mut text = String::from("(module (memory (export \"memory\") 8)\n");
    for function in 0..functions {
        let _ = writeln!(text, "(func (export \"{function}\") (param $at i32)");
        for variable in 0..VARIABLES {
            let _ = writeln!(text, "  (local $v{variable} v128)");
        }
        for variable in 0..VARIABLES {
            let _ = writeln!(
                text,
                "  (local.set $v{variable} (v128.load offset={} (local.get $at)))",
                16 * (variable % 3)
            );
        }
        for _ in 0..LENGTH {
            text += &statement(&mut numbers, &candidates);
        }
        for variable in 0..VARIABLES {
            let _ = writeln!(
                text,
                "  (v128.store offset={} (local.get $at) (local.get $v{variable}))",
                16 * variable
            );
        }
        text += ")\n";
    }
    text + ")"
}

/// Text that sets a variable.
fn statement(numbers: &mut Numbers, candidates: &[Operator]) -> String {
    let operator = numbers.pick(candidates);
    let (params, result) = operator.signature.split_once('>').expect("a signature");
    let mut application = format!("({}", operator.instruction());
    for kind in params.chars() {
        let _ = match (kind, numbers.below(8)) {
            ('i', 0..4) => write!(application, " (i32.const {})", numbers.below(70)),
            ('i', _) => write!(
                application,
                " (i32x4.extract_lane {} (local.get $v{}))",
                numbers.below(4),
                numbers.below(VARIABLES)
            ),
            (_, 0) => write!(application, " (v128.const i32x4 0 0 0 0)"),
            (_, 1) => write!(
                application,
                " (v128.const i16x8 {0} {0} {0} {0} {0} {0} {0} {0})",
                *numbers.pick(&[1, 8, 255, 32768])
            ),
            _ => write!(application, " (local.get $v{})", numbers.below(VARIABLES)),
        };
    }
    application.push(')');
    if result == "i" {
        let lanes = *numbers.pick(&["i8x16", "i16x8", "i32x4"]);
        application = format!("({lanes}.splat {application})");
    }
    let to = numbers.below(VARIABLES);
    let mut text = format!("  (local.set $v{to} {application})\n");
    if let Some(width) = operator.computes_floats() {
        // Which NaN it is may differ, and must not reach the others.
        let lanes = if width == 4 { "f32x4" } else { "f64x2" };
        let nan = if width == 4 { "nan nan nan nan" } else { "nan nan" };
        let _ = writeln!(
            text,
            "  (local.set $v{to} (v128.bitselect (local.get $v{to}) (v128.const {lanes} {nan})
    ({lanes}.eq (local.get $v{to}) (local.get $v{to}))))"
        );
    }
    text
}
