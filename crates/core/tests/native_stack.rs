//! Handlers go on to the next with a jump: a long run of any operation must not grow the native stack.

use wharf_core::{Engine, Instance, Module, Store};

#[test]
fn bulk_operations_in_a_loop_need_no_stack() {
    let wat = r#"(module
        (memory 1) (memory $other 1)
        (table $t 4 funcref) (table $u 4 funcref)
        (data $d "abcd") (elem $e func $run)
        (func $run (export "run") (local $i i32)
            (loop $again
                (memory.fill (i32.const 0) (i32.const 1) (i32.const 3))
                (memory.copy (i32.const 8) (i32.const 0) (i32.const 3))
                (memory.copy $other 0 (i32.const 8) (i32.const 0) (i32.const 3))
                (memory.init $d (i32.const 0) (i32.const 0) (i32.const 4))
                (table.fill $t (i32.const 0) (ref.null func) (i32.const 2))
                (table.copy $u $t (i32.const 0) (i32.const 1) (i32.const 2))
                (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1))
                (table.set $t (i32.const 1) (table.get $u (i32.const 0)))
                (drop (table.grow $t (ref.null func) (i32.const 0)))
                (drop (table.size $t))
                (drop (memory.grow (i32.const 0)))
                (drop (memory.size))
                (data.drop 1)
                (elem.drop 1)
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $again (i32.lt_u (local.get $i) (i32.const 200000)))))
        (data "x") (elem func $run))"#;
    let engine = Engine::default();
    let module = Module::new(&engine, wat::parse_str(wat).unwrap()).unwrap();
    let mut store = Store::new(&engine, Box::new(()));
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    instance
        .get_func(&store, "run")
        .unwrap()
        .call(&mut store, &[], &mut [])
        .unwrap();
}
