//! Core values: arguments written in scripts, and results compared with the patterns in scripts.

use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Const, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64};
use wharf_core::{ExternRef, Store, Val};

/// The value that an argument of a script stands for; `Err` names a type that Wharf does not have.
pub(crate) fn argument(store: &mut Store, arg: &WastArgCore<'_>) -> Result<Val, String> {
    Ok(match arg {
        WastArgCore::I32(v) => Val::I32(*v),
        WastArgCore::I64(v) => Val::I64(*v),
        WastArgCore::F32(v) => Val::F32(v.bits),
        WastArgCore::F64(v) => Val::F64(v.bits),
        WastArgCore::V128(v) => Val::V128(v128_bits(v)),
        WastArgCore::RefNull(HeapType::Abstract {
            ty: AbstractHeapType::Func,
            ..
        }) => Val::FuncRef(None),
        WastArgCore::RefNull(HeapType::Abstract {
            ty: AbstractHeapType::Extern,
            ..
        }) => Val::ExternRef(None),
        WastArgCore::RefExtern(n) => {
            Val::ExternRef(Some(ExternRef::new(store, *n).map_err(|e| e.to_string())?))
        }
        other => return Err(format!("no argument of this type yet: {other:?}")),
    })
}

fn v128_bits(v: &V128Const) -> u128 {
    u128::from_le_bytes(v.to_le_bytes())
}

/// Whether a result is what the script expects; `Err` names a type that Wharf does not have.
pub(crate) fn result_matches(store: &Store, expected: &WastRetCore<'_>, got: &Val) -> Result<bool, String> {
    Ok(match (expected, got) {
        (WastRetCore::I32(e), Val::I32(g)) => e == g,
        (WastRetCore::I64(e), Val::I64(g)) => e == g,
        (WastRetCore::F32(e), Val::F32(g)) => f32_matches(e, *g),
        (WastRetCore::F64(e), Val::F64(g)) => f64_matches(e, *g),
        (WastRetCore::V128(e), Val::V128(g)) => v128_matches(e, *g),
        (WastRetCore::RefNull(ty), Val::FuncRef(None)) => null_type_is(ty, AbstractHeapType::Func),
        (WastRetCore::RefNull(ty), Val::ExternRef(None)) => null_type_is(ty, AbstractHeapType::Extern),
        (WastRetCore::RefExtern(None), Val::ExternRef(g)) => g.is_some(),
        (WastRetCore::RefExtern(Some(e)), Val::ExternRef(Some(g))) => {
            g.data(store).downcast_ref::<u32>() == Some(e)
        }
        (WastRetCore::RefFunc(None), Val::FuncRef(g)) => g.is_some(),
        (WastRetCore::Either(cases), got) => {
            for case in cases {
                if result_matches(store, case, got)? {
                    return Ok(true);
                }
            }
            false
        }
        (WastRetCore::RefFunc(Some(_)), _) => return Err("comparing a function by index".into()),
        (
            WastRetCore::RefHost(_)
            | WastRetCore::RefAny
            | WastRetCore::RefEq
            | WastRetCore::RefArray
            | WastRetCore::RefStruct
            | WastRetCore::RefI31
            | WastRetCore::RefI31Shared,
            _,
        ) => return Err(format!("needs GC references: {expected:?}")),
        _ => false,
    })
}

/// `(ref.null)` fits every null; `(ref.null func)` also means the bottom type of its hierarchy.
fn null_type_is(expected: &Option<HeapType<'_>>, got: AbstractHeapType) -> bool {
    match expected {
        None => true,
        Some(HeapType::Abstract { ty, .. }) => {
            *ty == got
                || (*ty == AbstractHeapType::NoFunc && got == AbstractHeapType::Func)
                || (*ty == AbstractHeapType::NoExtern && got == AbstractHeapType::Extern)
        }
        Some(_) => got == AbstractHeapType::Func,
    }
}

const F32_CANONICAL: u32 = 0x7fc0_0000;
const F64_CANONICAL: u64 = 0x7ff8_0000_0000_0000;

fn f32_matches(expected: &NanPattern<F32>, got: u32) -> bool {
    match expected {
        NanPattern::CanonicalNan => got & 0x7fff_ffff == F32_CANONICAL,
        NanPattern::ArithmeticNan => got & F32_CANONICAL == F32_CANONICAL,
        NanPattern::Value(v) => v.bits == got,
    }
}

fn f64_matches(expected: &NanPattern<F64>, got: u64) -> bool {
    match expected {
        NanPattern::CanonicalNan => got & 0x7fff_ffff_ffff_ffff == F64_CANONICAL,
        NanPattern::ArithmeticNan => got & F64_CANONICAL == F64_CANONICAL,
        NanPattern::Value(v) => v.bits == got,
    }
}

fn v128_matches(expected: &V128Pattern, got: u128) -> bool {
    // Lane `i` of `bits` bits, zero-extended.
    let lane = |i: usize, bits: usize| (got >> (i * bits)) as u64 & (u64::MAX >> (64 - bits));
    match expected {
        V128Pattern::I8x16(e) => e
            .iter()
            .enumerate()
            .all(|(i, e)| lane(i, 8) == u64::from(*e as u8)),
        V128Pattern::I16x8(e) => e
            .iter()
            .enumerate()
            .all(|(i, e)| lane(i, 16) == u64::from(*e as u16)),
        V128Pattern::I32x4(e) => e
            .iter()
            .enumerate()
            .all(|(i, e)| lane(i, 32) == u64::from(*e as u32)),
        V128Pattern::I64x2(e) => e.iter().enumerate().all(|(i, e)| lane(i, 64) == *e as u64),
        V128Pattern::F32x4(e) => e
            .iter()
            .enumerate()
            .all(|(i, e)| f32_matches(e, lane(i, 32) as u32)),
        V128Pattern::F64x2(e) => e.iter().enumerate().all(|(i, e)| f64_matches(e, lane(i, 64))),
    }
}

/// A result in the notation of scripts, for messages.
pub(crate) fn display(val: &Val) -> String {
    match val {
        Val::I32(v) => format!("(i32.const {v})"),
        Val::I64(v) => format!("(i64.const {v})"),
        Val::F32(v) => format!("(f32.const {:?} ;; 0x{v:08x})", f32::from_bits(*v)),
        Val::F64(v) => format!("(f64.const {:?} ;; 0x{v:016x})", f64::from_bits(*v)),
        Val::V128(v) => format!(
            "(v128.const i32x4 0x{:08x} 0x{:08x} 0x{:08x} 0x{:08x})",
            *v as u32,
            (*v >> 32) as u32,
            (*v >> 64) as u32,
            (*v >> 96) as u32
        ),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_patterns() {
        assert!(f32_matches(&NanPattern::CanonicalNan, 0xffc0_0000));
        assert!(!f32_matches(&NanPattern::CanonicalNan, 0x7fc0_0001));
        assert!(f32_matches(&NanPattern::ArithmeticNan, 0x7fc0_0001));
        assert!(!f32_matches(&NanPattern::ArithmeticNan, 0x7f80_0001));
        assert!(f64_matches(&NanPattern::CanonicalNan, F64_CANONICAL | 1 << 63));
        assert!(!f64_matches(&NanPattern::ArithmeticNan, 0x7ff0_0000_0000_0001));
    }

    #[test]
    fn lanes_count_from_the_low_end() {
        let got = u128::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        let mut bytes = [0i8; 16];
        for (i, b) in bytes.iter_mut().enumerate().take(15) {
            *b = i as i8;
        }
        bytes[15] = -1;
        assert!(v128_matches(&V128Pattern::I8x16(bytes), got));
        assert!(v128_matches(
            &V128Pattern::I64x2([0x0706050403020100, 0xff0e0d0c0b0a0908u64 as i64]),
            got
        ));
        assert!(!v128_matches(&V128Pattern::I32x4([0, 0, 0, 0]), got));
    }
}
