//! All vector operators, and functions that use them.

use std::fmt::Write;

/// The operators by their signatures: `v` is a vector, `i` and `I` the integers of 32 and 64 bits, `f` and `F` the floats, `a` an address.
pub const OPERATORS: &[(&str, &str)] = &[
    (
        "a>v",
        "v128.load v128.load8x8_s v128.load8x8_u v128.load16x4_s v128.load16x4_u v128.load32x2_s v128.load32x2_u
        v128.load8_splat v128.load16_splat v128.load32_splat v128.load64_splat v128.load32_zero v128.load64_zero
        v128.load@3 v128.load64_zero@7 v128.load8x8_s@5",
    ),
    (
        "av>v",
        "v128.load8_lane#0 v128.load8_lane#15 v128.load16_lane#0 v128.load16_lane#5 v128.load32_lane#0
        v128.load32_lane#1 v128.load32_lane#2 v128.load32_lane#3 v128.load64_lane#0 v128.load64_lane#1",
    ),
    (
        "av>",
        "v128.store v128.store8_lane#0 v128.store8_lane#9 v128.store16_lane#0 v128.store16_lane#7 v128.store32_lane#0
        v128.store32_lane#3 v128.store64_lane#0 v128.store64_lane#1",
    ),
    (
        ">v",
        "v128.const#i32x4#0#0#0#0 v128.const#i32x4#-1#-1#-1#-1 v128.const#i64x2#0x0123456789abcdef#-2
        v128.const#f32x4#1#-0#nan#inf",
    ),
    ("i>v", "i8x16.splat i16x8.splat i32x4.splat"),
    ("I>v", "i64x2.splat"),
    ("f>v", "f32x4.splat"),
    ("F>v", "f64x2.splat"),
    (
        "v>i",
        "i8x16.extract_lane_s#0 i8x16.extract_lane_s#15 i8x16.extract_lane_u#0 i8x16.extract_lane_u#14
        i16x8.extract_lane_s#0 i16x8.extract_lane_s#7 i16x8.extract_lane_u#0 i16x8.extract_lane_u#3
        i32x4.extract_lane#0 i32x4.extract_lane#1 i32x4.extract_lane#3 v128.any_true i8x16.all_true i16x8.all_true
        i32x4.all_true i64x2.all_true i8x16.bitmask i16x8.bitmask i32x4.bitmask i64x2.bitmask",
    ),
    ("v>I", "i64x2.extract_lane#0 i64x2.extract_lane#1"),
    ("v>f", "f32x4.extract_lane#0 f32x4.extract_lane#2"),
    ("v>F", "f64x2.extract_lane#0 f64x2.extract_lane#1"),
    (
        "vi>v",
        "i8x16.replace_lane#0 i8x16.replace_lane#15 i16x8.replace_lane#0 i16x8.replace_lane#6 i32x4.replace_lane#0
        i32x4.replace_lane#1 i32x4.replace_lane#2 i32x4.replace_lane#3 i8x16.shl i8x16.shr_s i8x16.shr_u i16x8.shl
        i16x8.shr_s i16x8.shr_u i32x4.shl i32x4.shr_s i32x4.shr_u i64x2.shl i64x2.shr_s i64x2.shr_u",
    ),
    ("vI>v", "i64x2.replace_lane#0 i64x2.replace_lane#1"),
    ("vf>v", "f32x4.replace_lane#0 f32x4.replace_lane#1 f32x4.replace_lane#3"),
    ("vF>v", "f64x2.replace_lane#0 f64x2.replace_lane#1"),
    (
        "v>v",
        "v128.not i8x16.abs i8x16.neg i8x16.popcnt i16x8.abs i16x8.neg i32x4.abs i32x4.neg i64x2.abs i64x2.neg
        i16x8.extend_low_i8x16_s i16x8.extend_high_i8x16_s i16x8.extend_low_i8x16_u i16x8.extend_high_i8x16_u
        i32x4.extend_low_i16x8_s i32x4.extend_high_i16x8_s i32x4.extend_low_i16x8_u i32x4.extend_high_i16x8_u
        i64x2.extend_low_i32x4_s i64x2.extend_high_i32x4_s i64x2.extend_low_i32x4_u i64x2.extend_high_i32x4_u
        i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u i32x4.extadd_pairwise_i16x8_s
        i32x4.extadd_pairwise_i16x8_u f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest f32x4.abs f32x4.neg f32x4.sqrt
        f64x2.ceil f64x2.floor f64x2.trunc f64x2.nearest f64x2.abs f64x2.neg f64x2.sqrt i32x4.trunc_sat_f32x4_s
        i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u i32x4.trunc_sat_f64x2_s_zero
        i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u f32x4.demote_f64x2_zero
        f64x2.promote_low_f32x4 i32x4.relaxed_trunc_f32x4_s i32x4.relaxed_trunc_f32x4_u
        i32x4.relaxed_trunc_f64x2_s_zero i32x4.relaxed_trunc_f64x2_u_zero",
    ),
    (
        "vv>v",
        "i8x16.shuffle#0#1#2#3#4#5#6#7#8#9#10#11#12#13#14#15
        i8x16.shuffle#16#1#18#3#20#5#22#7#24#9#26#11#28#13#30#15
        i8x16.shuffle#31#0#30#1#29#2#28#3#27#4#26#5#25#6#24#7
        i8x16.shuffle#4#5#6#7#0#1#2#3#12#13#14#15#8#9#10#11
        i8x16.shuffle#0#16#1#17#2#18#3#19#4#20#5#21#6#22#7#23
        i8x16.shuffle#8#9#10#11#12#13#14#15#24#25#26#27#28#29#30#31
        i8x16.shuffle#5#6#7#8#9#10#11#12#13#14#15#16#17#18#19#20
        i8x16.shuffle#2#2#2#2#2#2#2#2#2#2#2#2#2#2#2#2
        i8x16.shuffle#0#1#4#5#8#9#12#13#16#17#20#21#24#25#28#29
        i8x16.shuffle#8#9#10#11#0#1#2#3#20#21#22#23#28#29#30#31
        i8x16.swizzle i8x16.relaxed_swizzle v128.and v128.andnot v128.or v128.xor
        i8x16.eq i8x16.ne i8x16.lt_s i8x16.lt_u i8x16.gt_s i8x16.gt_u i8x16.le_s i8x16.le_u i8x16.ge_s i8x16.ge_u
        i16x8.eq i16x8.ne i16x8.lt_s i16x8.lt_u i16x8.gt_s i16x8.gt_u i16x8.le_s i16x8.le_u i16x8.ge_s i16x8.ge_u
        i32x4.eq i32x4.ne i32x4.lt_s i32x4.lt_u i32x4.gt_s i32x4.gt_u i32x4.le_s i32x4.le_u i32x4.ge_s i32x4.ge_u
        i64x2.eq i64x2.ne i64x2.lt_s i64x2.gt_s i64x2.le_s i64x2.ge_s f32x4.eq f32x4.ne f32x4.lt f32x4.gt f32x4.le
        f32x4.ge f64x2.eq f64x2.ne f64x2.lt f64x2.gt f64x2.le f64x2.ge
        i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u
        i8x16.add i8x16.add_sat_s i8x16.add_sat_u i8x16.sub i8x16.sub_sat_s i8x16.sub_sat_u i8x16.min_s i8x16.min_u
        i8x16.max_s i8x16.max_u i8x16.avgr_u i16x8.add i16x8.add_sat_s i16x8.add_sat_u i16x8.sub i16x8.sub_sat_s
        i16x8.sub_sat_u i16x8.mul i16x8.min_s i16x8.min_u i16x8.max_s i16x8.max_u i16x8.avgr_u i16x8.q15mulr_sat_s
        i16x8.extmul_low_i8x16_s i16x8.extmul_high_i8x16_s i16x8.extmul_low_i8x16_u i16x8.extmul_high_i8x16_u
        i32x4.add i32x4.sub i32x4.mul i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u i32x4.dot_i16x8_s
        i32x4.extmul_low_i16x8_s i32x4.extmul_high_i16x8_s i32x4.extmul_low_i16x8_u i32x4.extmul_high_i16x8_u
        i64x2.add i64x2.sub i64x2.mul i64x2.extmul_low_i32x4_s i64x2.extmul_high_i32x4_s i64x2.extmul_low_i32x4_u
        i64x2.extmul_high_i32x4_u f32x4.add f32x4.sub f32x4.mul f32x4.div f32x4.min f32x4.max f32x4.pmin f32x4.pmax
        f64x2.add f64x2.sub f64x2.mul f64x2.div f64x2.min f64x2.max f64x2.pmin f64x2.pmax f32x4.relaxed_min
        f32x4.relaxed_max f64x2.relaxed_min f64x2.relaxed_max i16x8.relaxed_q15mulr_s
        i16x8.relaxed_dot_i8x16_i7x16_s",
    ),
    (
        "vvv>v",
        "v128.bitselect i8x16.relaxed_laneselect i16x8.relaxed_laneselect i32x4.relaxed_laneselect
        i64x2.relaxed_laneselect f32x4.relaxed_madd f32x4.relaxed_nmadd f64x2.relaxed_madd f64x2.relaxed_nmadd
        i32x4.relaxed_dot_i8x16_i7x16_add_s",
    ),
];

/// An operator with its immediates.
pub struct Operator {
    /// The signature as in [`OPERATORS`].
    pub signature: &'static str,
    /// The entry in the list.
    pub name: &'static str,
}

/// Where operands, of 16 bytes each, and results lie; offsets from the address that a function gets.
pub mod layout {
    /// Zeros, of which a compiler knows nothing.
    pub const ZERO: usize = 48;
    /// The result on operands from memory.
    pub const FROM_MEMORY: usize = 64;
    /// The result on operands that are computed.
    pub const FROM_REGISTERS: usize = 80;
    /// The results with constants for the last operand.
    pub const FROM_CONSTANTS: usize = 96;
    /// All of it.
    pub const SIZE: usize = FROM_CONSTANTS + 16 * super::CONSTANTS.len();
}

/// Last operands that are constants: vectors, and numbers.
pub const CONSTANTS: [(&str, i64); 4] = [
    ("i32x4 0 0 0 0", 0),
    ("i32x4 -1 -1 -1 -1", -1),
    ("i8x16 0 15 16 31 127 128 255 1 2 3 4 5 6 7 8 9", 3),
    ("f32x4 -0 1.5 nan -3e9", 77),
];

/// All operators of the list.
pub fn operators() -> impl Iterator<Item = Operator> {
    OPERATORS.iter().flat_map(|(signature, names)| {
        names
            .split_whitespace()
            .map(move |name| Operator { signature, name })
    })
}

impl Operator {
    /// The instruction as text.
    pub fn instruction(&self) -> String {
        match self.name.split_once('@') {
            Some((name, offset)) => format!("{name} offset={offset}"),
            None => self.name.replace('#', " "),
        }
    }

    /// An operand of this kind, `index` being its place.
    fn operand(kind: char, index: usize, computed: bool) -> String {
        let ty = match kind {
            'v' => "v128",
            'i' => "i32",
            'I' => "i64",
            'f' => "f32",
            'F' => "f64",
            _ => return format!("(i32.add (local.get $at) (i32.const {}))", 16 * index),
        };
        let load = format!("({ty}.load offset={} (local.get $at))", 16 * index);
        let zero = format!("({ty}.load offset={} (local.get $at))", layout::ZERO);
        match (computed, kind) {
            (false, _) => load,
            (true, 'v') => format!("(v128.or {zero} {load})"),
            (true, 'i' | 'I') => format!("({ty}.add {zero} {load})"),
            (true, _) => format!("({ty}.copysign ({ty}.abs {load}) {load})"),
        }
    }

    /// A constant operand.
    fn constant(kind: char, (vector, number): (&str, i64)) -> Option<String> {
        Some(match kind {
            'v' => format!("(v128.const {vector})"),
            'i' => format!("(i32.const {number})"),
            'I' => format!("(i64.const {number})"),
            'f' => format!("(f32.const {number})"),
            'F' => format!("(f64.const {number})"),
            _ => return None,
        })
    }

    /// Text that computes the operator and stores its result at an offset.
    fn application(&self, operands: &[String], to: usize) -> String {
        let result = self.signature.split_once('>').expect("a signature").1;
        let store = match result {
            "v" => "v128.store",
            "i" => "i32.store",
            "I" => "i64.store",
            "f" => "f32.store",
            "F" => "f64.store",
            // The operator itself stores.
            _ => {
                return format!(
                    "({} (i32.add (local.get $at) (i32.const {to})) {})",
                    self.instruction(),
                    operands[1..].join(" ")
                );
            }
        };
        let value = format!("({} {})", self.instruction(), operands.join(" "));
        format!("({store} offset={to} (local.get $at) {value})")
    }

    /// A function `(param $at i32)` that applies the operator to the operands at an address; see [`layout`].
    pub fn function(&self) -> String {
        let kinds: Vec<char> = self
            .signature
            .split_once('>')
            .expect("a signature")
            .0
            .chars()
            .collect();
        let operands = |computed| -> Vec<String> {
            let operand = |(index, kind): (usize, &char)| Self::operand(*kind, index, computed);
            kinds.iter().enumerate().map(operand).collect()
        };
        let mut text = format!("(func (export \"{}\") (param $at i32)\n", self.name);
        for (computed, to) in [(false, layout::FROM_MEMORY), (true, layout::FROM_REGISTERS)] {
            let _ = writeln!(text, "  {}", self.application(&operands(computed), to));
        }
        for (at, constant) in CONSTANTS.into_iter().enumerate() {
            let Some(last) = kinds.last().and_then(|kind| Self::constant(*kind, constant)) else {
                continue;
            };
            let mut operands = operands(false);
            operands.pop();
            operands.push(last);
            let to = layout::FROM_CONSTANTS + 16 * at;
            let _ = writeln!(text, "  {}", self.application(&operands, to));
        }
        text + ")\n"
    }

    /// Whether NaNs in the result need not be the same, and the width of the lanes in bytes.
    pub fn computes_floats(&self) -> Option<usize> {
        let (lanes, name) = self.name.split_once('.').expect("a name");
        let width = match lanes {
            "f32x4" => 4,
            "f64x2" => 8,
            _ => return None,
        };
        let moves = [
            "eq", "ne", "lt", "gt", "le", "ge", "pmin", "pmax", "abs", "neg", "splat",
        ];
        let moves = moves.contains(&name) || name.contains("lane");
        (!moves).then_some(width)
    }
}

/// A module with the functions of all operators and a memory, exported as `memory`.
pub fn module() -> String {
    let mut text = String::from("(module (memory (export \"memory\") 8)\n");
    operators().for_each(|operator| text += &operator.function());
    text + ")"
}
