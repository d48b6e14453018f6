//! A large real program as a benchmark: the parser of the WebAssembly text format and the validator of the binary
//! format, run on a text that is generated first.

use std::fmt::Write;

/// A module of `functions` functions with arithmetic, memory accesses, loops and calls in them.
fn source(functions: u32) -> String {
    let mut text = String::from("(module (memory 1) (table 4 funcref) (global $g (mut i32) (i32.const 1))\n");
    for f in 0..functions {
        let callee = if f == 0 { 0 } else { f - 1 };
        let _ = write!(
            text,
            "(func $f{f} (export \"f{f}\") (param $a i32) (param $b i64) (result i32) (local $i i32) (local $x f64)
               (local.set $x (f64.mul (f64.const {f}.5e1) (f64.convert_i32_s (local.get $a))))
               (block $out (loop $next
                 (br_if $out (i32.ge_u (local.get $i) (i32.const 0x{f:x})))
                 (i32.store offset={off} (i32.shl (local.get $i) (i32.const 2))
                   (i32.add (i32.load (local.get $i)) (i32.trunc_sat_f64_s (local.get $x))))
                 (local.set $i (i32.add (local.get $i) (i32.const 1)))
                 (br $next)))
               (if (result i32) (i64.eqz (local.get $b)) (then (global.get $g))
                 (else (call $f{callee} (local.get $i) (i64.sub (local.get $b) (i64.const 1))))))\n",
            off = f * 8,
        );
    }
    text.push_str(")\n");
    text
}

/// Parses, encodes and validates a generated module of `functions` functions `rounds` times; gives a checksum of the
/// binary, or 0 if any step fails.
#[unsafe(no_mangle)]
pub extern "C" fn large(functions: u32, rounds: u32) -> u64 {
    let text = source(functions);
    let mut sum = 0u64;
    for _ in 0..rounds {
        let Ok(buffer) = wast::parser::ParseBuffer::new(&text) else { return 0 };
        let Ok(mut module) = wast::parser::parse::<wast::Wat<'_>>(&buffer) else { return 0 };
        let Ok(binary) = module.encode() else { return 0 };
        if wasmparser::Validator::new().validate_all(&binary).is_err() {
            return 0;
        }
        sum = binary.iter().fold(sum, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
    }
    sum
}
