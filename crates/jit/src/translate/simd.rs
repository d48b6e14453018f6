//! Vectors.

use wasmparser::VisitSimdOperator;
use wharf_core::Error;

use super::FuncTranslator;

macro_rules! missing {
    ($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(fn $visit(&mut self $($(, _: $argty)*)?) {
            self.fail(Error::unsupported(concat!("compiling ", stringify!($op))));
        })*
    };
}

impl VisitSimdOperator<'_> for FuncTranslator<'_, '_> {
    wasmparser::for_each_visit_simd_operator!(missing);
}
