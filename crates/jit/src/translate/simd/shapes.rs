//! The shapes of operators: each macro defines the methods of operators that differ in an instruction and its lanes only.

/// An instruction and the operators that are that instruction, with the lanes that they work on.
macro_rules! unary {
    ($($inst:ident: $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self) {
            let x = self.pop_lanes($ty);
            let result = self.builder.ins().$inst(x);
            self.push_lanes(result);
        }
    )+)*};
}

/// As `unary`, for two operands.
macro_rules! binary {
    ($($inst:ident: $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self) {
            let (x, y) = self.pop2_lanes($ty);
            let result = self.builder.ins().$inst(x, y);
            self.push_lanes(result);
        }
    )+)*};
}

/// An instruction that compares, the relation, and the operators with the lanes that they work on.
macro_rules! compare {
    ($($inst:ident $cond:expr => $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self) {
            let (x, y) = self.pop2_lanes($ty);
            let result = self.builder.ins().$inst($cond, x, y);
            self.push_lanes(result);
        }
    )+)*};
}

/// As `unary`, for a vector and a scalar operand that is a count of bits.
macro_rules! shift {
    ($($inst:ident: $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self) {
            // Instructions take the count modulo the width of the lanes too.
            let count = self.pop();
            let x = self.pop_lanes($ty);
            let result = self.builder.ins().$inst(x, count);
            self.push_lanes(result);
        }
    )+)*};
}

/// As `unary`, with the lanes that the instruction gives.
macro_rules! convert {
    ($($inst:ident: $($visit:ident $from:ident $to:ident),+;)*) => {$($(
        fn $visit(&mut self) {
            let x = self.pop_lanes($from);
            let result = self.builder.ins().$inst($to, x);
            self.push_lanes(result);
        }
    )+)*};
}

/// As `convert`, of the low half of the lanes, which the first instruction widens.
macro_rules! convert_low {
    ($($visit:ident $widen:ident $convert:ident;)*) => {$(
        fn $visit(&mut self) {
            let x = self.pop_lanes(I32X4);
            let wide = self.builder.ins().$widen(x);
            let result = self.builder.ins().$convert(F64X2, wide);
            self.push_lanes(result);
        }
    )*};
}

/// An instruction that widens, and the products of the lanes that it gives.
macro_rules! extended_product {
    ($($widen:ident: $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self) {
            let (x, y) = self.pop2_lanes($ty);
            let x = self.builder.ins().$widen(x);
            let y = self.builder.ins().$widen(y);
            let result = self.builder.ins().imul(x, y);
            self.push_lanes(result);
        }
    )+)*};
}

/// The instructions that widen the halves of the operand, and the sums of neighbouring lanes of theirs.
macro_rules! extended_sum {
    ($($low:ident $high:ident: $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self) {
            let x = self.pop_lanes($ty);
            let low = self.builder.ins().$low(x);
            let high = self.builder.ins().$high(x);
            let result = self.builder.ins().iadd_pairwise(low, high);
            self.push_lanes(result);
        }
    )+)*};
}

/// Reductions to a truth value, as `unary`.
macro_rules! truth {
    ($($inst:ident: $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self) {
            let x = self.pop_lanes($ty);
            let result = self.builder.ins().$inst(x);
            self.push_bool(result);
        }
    )+)*};
}

/// The top bits of lanes.
macro_rules! bitmask {
    ($($visit:ident $ty:ident;)*) => {$(
        fn $visit(&mut self) {
            let x = self.pop_lanes($ty);
            let result = self.builder.ins().vhigh_bits(I32, x);
            self.push(result);
        }
    )*};
}

/// Operators that make lanes of one scalar; `reduce` where the scalar on the stack is wider than the lanes.
macro_rules! splat {
    ($($visit:ident $ty:ident $($reduce:ident)?;)*) => {$(
        fn $visit(&mut self) {
            let x = self.pop();
            $(let x = self.builder.ins().$reduce($ty.lane_type(), x);)?
            let result = self.builder.ins().splat($ty, x);
            self.push_lanes(result);
        }
    )*};
}

/// Operators that put a scalar into a lane, as `splat`.
macro_rules! replace_lane {
    ($($visit:ident $ty:ident $($reduce:ident)?;)*) => {$(
        fn $visit(&mut self, lane: u8) {
            let x = self.pop();
            $(let x = self.builder.ins().$reduce($ty.lane_type(), x);)?
            let vector = self.pop_lanes($ty);
            let result = self.builder.ins().insertlane(vector, x, lane);
            self.push_lanes(result);
        }
    )*};
}

/// Operators that take the scalar from a lane, with an instruction that extends narrow ones.
macro_rules! extract_lane {
    ($($visit:ident $ty:ident $($extend:ident)?;)*) => {$(
        fn $visit(&mut self, lane: u8) {
            let vector = self.pop_lanes($ty);
            let result = self.builder.ins().extractlane(vector, lane);
            $(let result = self.builder.ins().$extend(I32, result);)?
            self.push(result);
        }
    )*};
}

/// Loads of eight bytes whose lanes the instruction extends.
macro_rules! load_extended {
    ($($visit:ident $inst:ident;)*) => {$(
        fn $visit(&mut self, memarg: MemArg) {
            let (flags, base, offset) = self.access(&memarg, 8);
            let result = self.builder.ins().$inst(flags, base, offset);
            self.push_lanes(result);
        }
    )*};
}

/// Loads of a scalar that an instruction makes a vector.
macro_rules! load_to {
    ($($inst:ident: $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self, memarg: MemArg) {
            let value = self.load_scalar(&memarg, $ty.lane_type());
            let result = self.builder.ins().$inst($ty, value);
            self.push_lanes(result);
        }
    )+)*};
}

/// Loads and stores of one lane.
macro_rules! access_lane {
    ($($access:ident: $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self, memarg: MemArg, lane: u8) {
            self.$access(&memarg, $ty, lane);
        }
    )+)*};
}

/// Bits of the first operand where the third has ones, of the second elsewhere.
macro_rules! select_bits {
    ($($visit:ident)*) => {$(
        fn $visit(&mut self) {
            let (x, y, mask) = self.pop3_lanes(I8X16);
            let result = self.builder.ins().bitselect(mask, x, y);
            self.push_lanes(result);
        }
    )*};
}

/// The lesser or greater operand as `pmin` and `pmax` have it: the first one unless the second is beyond.
macro_rules! pseudo_min_max {
    ($($min:ident $max:ident $ty:ident;)*) => {$(
        fn $min(&mut self) {
            let (x, y) = self.pop2_lanes($ty);
            self.push_beyond((y, x), y, x);
        }

        fn $max(&mut self) {
            let (x, y) = self.pop2_lanes($ty);
            self.push_beyond((x, y), y, x);
        }
    )*};
}

/// Sums and differences with a product that is rounded by itself.
macro_rules! multiply_add {
    ($($madd:ident $nmadd:ident $ty:ident;)*) => {$(
        fn $madd(&mut self) {
            let (x, y, z) = self.pop3_lanes($ty);
            let product = self.builder.ins().fmul(x, y);
            let result = self.builder.ins().fadd(product, z);
            self.push_lanes(result);
        }

        fn $nmadd(&mut self) {
            let (x, y, z) = self.pop3_lanes($ty);
            let product = self.builder.ins().fmul(x, y);
            let result = self.builder.ins().fsub(z, product);
            self.push_lanes(result);
        }
    )*};
}

pub(super) use {
    access_lane, binary, bitmask, compare, convert, convert_low, extended_product, extended_sum,
    extract_lane, load_extended, load_to, multiply_add, pseudo_min_max, replace_lane, select_bits, shift,
    splat, truth, unary,
};
