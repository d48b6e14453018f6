//! Constant expressions (core spec, "Constant Expressions"), extended ones included.

use wasmparser::Operator;

use crate::error::{Error, Result};

/// A constant expression, as operations of a small stack machine.
#[derive(Clone, Debug)]
pub(crate) struct ConstExpr(pub(crate) Box<[ConstOp]>);

#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) enum ConstOp {
    /// A value of any number type, as the raw bits of its slots.
    Const(u128),
    GlobalGet(u32),
    RefFunc(u32),
    RefNull,
    I32Add,
    I32Sub,
    I32Mul,
    I64Add,
    I64Sub,
    I64Mul,
}

impl ConstExpr {
    pub(crate) fn new(expr: &wasmparser::ConstExpr<'_>) -> Result<ConstExpr> {
        let mut ops = Vec::new();
        let mut reader = expr.get_operators_reader();
        loop {
            let offset = reader.original_position() as usize;
            ops.push(match reader.read()? {
                Operator::I32Const { value } => ConstOp::Const(value as u32 as u128),
                Operator::I64Const { value } => ConstOp::Const(value as u64 as u128),
                Operator::F32Const { value } => ConstOp::Const(value.bits() as u128),
                Operator::F64Const { value } => ConstOp::Const(value.bits() as u128),
                Operator::V128Const { value } => ConstOp::Const(value.i128() as u128),
                Operator::GlobalGet { global_index } => ConstOp::GlobalGet(global_index),
                Operator::RefFunc { function_index } => ConstOp::RefFunc(function_index),
                Operator::RefNull { .. } => ConstOp::RefNull,
                Operator::I32Add => ConstOp::I32Add,
                Operator::I32Sub => ConstOp::I32Sub,
                Operator::I32Mul => ConstOp::I32Mul,
                Operator::I64Add => ConstOp::I64Add,
                Operator::I64Sub => ConstOp::I64Sub,
                Operator::I64Mul => ConstOp::I64Mul,
                Operator::End => break,
                op => return Err(Error::invalid(offset, format!("{op:?} in a constant expression"))),
            });
        }
        Ok(ConstExpr(ops.into()))
    }

    /// Its value, where that is written down.
    pub(crate) fn constant(&self) -> Option<u128> {
        match *self.0 {
            [ConstOp::Const(value)] => Some(value),
            _ => None,
        }
    }

    /// The functions that it refers to.
    pub(crate) fn func_refs(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().filter_map(|op| match op {
            ConstOp::RefFunc(f) => Some(*f),
            _ => None,
        })
    }

    /// Evaluates it; references are resolved by the callbacks. A validated expression leaves one value.
    pub(crate) fn eval(&self, global: impl Fn(u32) -> u128, func: impl Fn(u32) -> u64) -> u128 {
        match *self.0 {
            [ConstOp::Const(value)] => return value,
            [ConstOp::RefFunc(i)] => return func(i).into(),
            _ => {}
        }
        let mut stack: Vec<u128> = Vec::with_capacity(2);
        for op in &self.0 {
            let value = match *op {
                ConstOp::Const(value) => value,
                ConstOp::GlobalGet(i) => global(i),
                ConstOp::RefFunc(i) => func(i).into(),
                ConstOp::RefNull => 0,
                binary => {
                    let b = stack.pop().unwrap_or_default() as u64;
                    let a = stack.pop().unwrap_or_default() as u64;
                    match binary {
                        ConstOp::I32Add => (a as u32).wrapping_add(b as u32).into(),
                        ConstOp::I32Sub => (a as u32).wrapping_sub(b as u32).into(),
                        ConstOp::I32Mul => (a as u32).wrapping_mul(b as u32).into(),
                        ConstOp::I64Add => a.wrapping_add(b).into(),
                        ConstOp::I64Sub => a.wrapping_sub(b).into(),
                        _ => a.wrapping_mul(b).into(),
                    }
                }
            };
            stack.push(value);
        }
        stack.pop().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_wraps_at_its_width() {
        let e = ConstExpr(
            [
                ConstOp::Const(u32::MAX as u128),
                ConstOp::GlobalGet(0),
                ConstOp::I32Add,
            ]
            .into(),
        );
        assert_eq!(e.eval(|_| 2, |_| 0), 1);
        let e = ConstExpr([ConstOp::Const(1), ConstOp::Const(2), ConstOp::I64Sub].into());
        assert_eq!(e.eval(|_| 0, |_| 0), u64::MAX as u128);
    }
}
