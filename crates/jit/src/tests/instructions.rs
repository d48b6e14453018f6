use super::compile;

/// A function for each instruction with these operand and result types.
fn each(instructions: &str, params: &[&str], result: &str) -> String {
    let mut text = String::new();
    for instruction in instructions.split_whitespace() {
        let list = params.join(" ");
        text.push_str(&format!("(func (param {list}) (result {result})"));
        for place in 0..params.len() {
            text.push_str(&format!(" local.get {place}"));
        }
        text.push_str(&format!(" {instruction})\n"));
    }
    text
}

#[test]
fn numbers() {
    let mut text = String::from("(module ");
    for ty in ["i32", "i64"] {
        let with = |ops: &str| {
            ops.split_whitespace()
                .map(|op| format!("{ty}.{op} "))
                .collect::<String>()
        };
        let binary = with("add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr");
        text += &each(&binary, &[ty, ty], ty);
        text += &each(
            &with("eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"),
            &[ty, ty],
            "i32",
        );
        text += &each(&with("clz ctz popcnt extend8_s extend16_s"), &[ty], ty);
        text += &each(&with("eqz"), &[ty], "i32");
        for float in ["f32", "f64"] {
            let from_float: String = ["trunc", "trunc_sat"]
                .iter()
                .flat_map(|op| ["s", "u"].map(|sign| format!("{ty}.{op}_{float}_{sign} ")))
                .collect();
            text += &each(&from_float, &[float], ty);
            text += &each(
                &format!("{float}.convert_{ty}_s {float}.convert_{ty}_u"),
                &[ty],
                float,
            );
        }
    }
    for ty in ["f32", "f64"] {
        let with = |ops: &str| {
            ops.split_whitespace()
                .map(|op| format!("{ty}.{op} "))
                .collect::<String>()
        };
        text += &each(&with("add sub mul div min max copysign"), &[ty, ty], ty);
        text += &each(&with("eq ne lt gt le ge"), &[ty, ty], "i32");
        text += &each(&with("abs neg ceil floor trunc nearest sqrt"), &[ty], ty);
    }
    text += &each("i64.extend32_s", &["i64"], "i64");
    text += &each("i32.wrap_i64", &["i64"], "i32");
    text += &each("i64.extend_i32_s i64.extend_i32_u", &["i32"], "i64");
    text += &each("f32.demote_f64", &["f64"], "f32");
    text += &each("f64.promote_f32", &["f32"], "f64");
    text += &each("i32.reinterpret_f32", &["f32"], "i32");
    text += &each("i64.reinterpret_f64", &["f64"], "i64");
    text += &each("f32.reinterpret_i32", &["i32"], "f32");
    text += &each("f64.reinterpret_i64", &["i64"], "f64");
    text.push(')');
    compile(&text);
}

/// Loads and stores of all widths from a memory of this type, with several offsets.
fn accesses(memory: &str, address: &str, offsets: &[u64]) -> String {
    let mut text = format!("(module (memory i32 0) (memory {memory})");
    let loads = "i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u \
        i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u";
    let stores =
        "i32.store i64.store f32.store f64.store i32.store8 i32.store16 i64.store8 i64.store16 i64.store32";
    for offset in offsets {
        for load in loads.split_whitespace() {
            let ty = &load[..3];
            text +=
                &format!("(func (param {address}) (result {ty}) ({load} 1 offset={offset} (local.get 0)))");
        }
        for store in stores.split_whitespace() {
            let ty = &store[..3];
            text += &format!(
                "(func (param {address} {ty}) ({store} 1 offset={offset} (local.get 0) (local.get 1)))"
            );
        }
    }
    text.push(')');
    text
}

#[test]
fn memories_of_32_bits() {
    let offsets = [0, 8, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
    compile(&accesses("i32 1", "i32", &offsets));
    compile(&accesses("i32 2 2", "i32", &offsets));
}

#[test]
fn memories_of_64_bits() {
    let offsets = [0, 8, 0xffff_ffff, 0x1_0000_0000, u64::MAX - 1, u64::MAX];
    compile(&accesses("i64 1", "i64", &offsets));
    compile(&accesses("i64 0", "i64", &offsets));
}

#[test]
fn bulk_operations() {
    compile(
        r#"(module
        (memory $a 1) (memory $b i64 1) (data $d "abc")
        (func (param i32) (result i32 i32) (memory.grow $a (local.get 0)) (memory.size $a))
        (func (param i64) (result i64 i64) (memory.grow $b (local.get 0)) (memory.size $b))
        (func (param i32 i32 i32) (memory.fill $a (local.get 0) (local.get 1) (local.get 2)))
        (func (param i64 i32 i64) (memory.fill $b (local.get 0) (local.get 1) (local.get 2)))
        (func (param i32 i32 i32) (memory.copy $a $a (local.get 0) (local.get 1) (local.get 2)))
        (func (param i64 i32 i32) (memory.copy $b $a (local.get 0) (local.get 1) (local.get 2)))
        (func (param i32 i64 i32) (memory.copy $a $b (local.get 0) (local.get 1) (local.get 2)))
        (func (param i64 i64 i64) (memory.copy $b $b (local.get 0) (local.get 1) (local.get 2)))
        (func (param i32 i32 i32) (memory.init $a $d (local.get 0) (local.get 1) (local.get 2)))
        (func (param i64 i32 i32) (memory.init $b $d (local.get 0) (local.get 1) (local.get 2)))
        (func (data.drop $d)))"#,
    );
}

#[test]
fn tables_and_references() {
    compile(
        r#"(module
        (import "m" "f" (func $f (param i32)))
        (table $a 4 funcref) (table $b i64 4 10 funcref) (table $c 3 3 externref)
        (elem $e func $f $g)
        (func $g (result funcref) (ref.func $g))
        (func (result funcref) (ref.func $f))
        (func (param externref) (result i32) (ref.is_null (local.get 0)))
        (func (result externref) (ref.null extern))
        (func (param i32) (result funcref) (table.get $a (local.get 0)))
        (func (param i64) (result funcref) (table.get $b (local.get 0)))
        (func (param i32) (result externref) (table.get $c (local.get 0)))
        (func (param i32 externref) (table.set $c (local.get 0) (local.get 1)))
        (func (param i64 funcref) (table.set $b (local.get 0) (local.get 1)))
        (func (result i32 i64) (table.size $a) (table.size $b))
        (func (param funcref i32) (result i32) (table.grow $a (local.get 0) (local.get 1)))
        (func (param funcref i64) (result i64) (table.grow $b (local.get 0) (local.get 1)))
        (func (param i32 externref i32) (table.fill $c (local.get 0) (local.get 1) (local.get 2)))
        (func (param i64 funcref i64) (table.fill $b (local.get 0) (local.get 1) (local.get 2)))
        (func (param i32 i32 i32) (table.copy $a $a (local.get 0) (local.get 1) (local.get 2)))
        (func (param i64 i32 i32) (table.copy $b $a (local.get 0) (local.get 1) (local.get 2)))
        (func (param i32 i32 i32) (table.init $a $e (local.get 0) (local.get 1) (local.get 2)))
        (func (param i64 i32 i32) (table.init $b $e (local.get 0) (local.get 1) (local.get 2)))
        (func (elem.drop $e)))"#,
    );
}

#[test]
fn variables_and_constants() {
    compile(
        r#"(module
        (import "m" "a" (global $a i64)) (import "m" "b" (global $b (mut f32)))
        (global $c (mut i32) (i32.const 1)) (global $d f64 (f64.const 2)) (global $e (mut funcref) (ref.null func))
        (global $v (mut v128) (v128.const i64x2 1 2))
        (func (result i64 f32 i32 f64 funcref)
            (global.get $a) (global.get $b) (global.get $c) (global.get $d) (global.get $e))
        (func (param f32 i32 funcref)
            (global.set $b (local.get 0)) (global.set $c (local.get 1)) (global.set $e (local.get 2)))
        (func (param v128) (result v128) (global.get $v) (global.set $v (local.get 0)))
        (func (result i32 i64 f32 f64) (i32.const -1) (i64.const -1) (f32.const nan:0x200000) (f64.const -0))
        (func (param i32 i32) (result i32) (local i64 v128 f32)
            (local.set 2 (i64.const 1)) (local.tee 1 (local.get 0)))
        (func (param i32 v128 v128) (result v128) (select (result v128) (local.get 1) (local.get 2) (local.get 0)))
        (func (param i32 f32 f32) (result f32) (select (local.get 1) (local.get 2) (local.get 0)))
        (func (param i32 funcref funcref) (result funcref)
            (select (result funcref) (local.get 1) (local.get 2) (local.get 0))))"#,
    );
}
