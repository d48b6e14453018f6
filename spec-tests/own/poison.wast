;; A trap ends the component instance that it happened in, and nothing else in the store.
(component definition $Tester
  (core module $m
    (global $calls (mut i32) (i32.const 0))
    (func (export "count") (result i32)
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (global.get $calls))
    (func (export "trap") unreachable))
  (core instance $i (instantiate $m))
  (func (export "count") (result u32) (canon lift (core func $i "count")))
  (func (export "trap") (canon lift (core func $i "trap"))))

(component instance $a $Tester)
(component instance $b $Tester)
(assert_return (invoke $a "count") (u32.const 1))
(assert_return (invoke $a "count") (u32.const 2))
(assert_trap (invoke $a "trap") "unreachable")
(assert_trap (invoke $a "count") "cannot enter component instance")
(assert_trap (invoke $a "trap") "cannot enter component instance")
;; The other instance has its own state and lives on.
(assert_return (invoke $b "count") (u32.const 1))
(component instance $c $Tester)
(assert_return (invoke $c "count") (u32.const 1))

;; A trap in a callee also ends its callers, which were on the stack.
(component definition $Nested
  (component $Inner
    (core module $m
      (func (export "maybe-trap") (param i32) (if (local.get 0) (then unreachable))))
    (core instance $i (instantiate $m))
    (func (export "maybe-trap") (param "x" bool) (canon lift (core func $i "maybe-trap"))))
  (component $Outer
    (import "maybe-trap" (func $f (param "x" bool)))
    (core func $f' (canon lower (func $f)))
    (core module $m
      (import "" "f" (func $f (param i32)))
      (func (export "call") (param i32) (call $f (local.get 0)))
      (func (export "idle")))
    (core instance $i (instantiate $m (with "" (instance (export "f" (func $f'))))))
    (func (export "call") (param "x" bool) (canon lift (core func $i "call")))
    (func (export "idle") (canon lift (core func $i "idle"))))
  (instance $inner (instantiate $Inner))
  (instance $outer (instantiate $Outer (with "maybe-trap" (func $inner "maybe-trap"))))
  (func (export "call") (alias export $outer "call"))
  (func (export "idle") (alias export $outer "idle"))
  (func (export "direct") (alias export $inner "maybe-trap")))

(component instance $d $Nested)
(assert_return (invoke $d "call" (bool.const false)))
(assert_return (invoke $d "direct" (bool.const false)))
(assert_trap (invoke $d "call" (bool.const true)) "unreachable")
(assert_trap (invoke $d "direct" (bool.const false)) "cannot enter component instance")
(assert_trap (invoke $d "idle") "cannot enter component instance")
