;; Values nested in values keep their structure from the script through two components and back.
(component definition $Tester
  (type $leaf' (record (field "name" string) (field "tags" (list string)) (field "score" (option f64))))
  (type $shape' (variant (case "point") (case "circle" f32) (case "poly" (list (tuple s16 s16)))))
  (type $access' (flags "read" "write" "exec"))
  (type $mode' (enum "slow" "fast"))
  (component $Echo
    (type $leaf' (record (field "name" string) (field "tags" (list string)) (field "score" (option f64))))
    (export $leaf "leaf" (type $leaf'))
    (type $shape' (variant (case "point") (case "circle" f32) (case "poly" (list (tuple s16 s16)))))
    (export $shape "shape" (type $shape'))
    (type $access' (flags "read" "write" "exec"))
    (export $access "access" (type $access'))
    (type $mode' (enum "slow" "fast"))
    (export $mode "mode" (type $mode'))
    (core module $m
      (memory (export "mem") 2)
      (global $next (mut i32) (i32.const 1024))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at
          (i32.and
            (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
            (i32.xor (i32.sub (local.get $align) (i32.const 1)) (i32.const -1))))
        (global.set $next (i32.add (local.get $at) (local.get $size)))
        (memory.copy (local.get $at) (local.get $old) (local.get $old-size))
        (local.get $at))
      (func (export "leaves") (param $ptr i32) (param $len i32) (result i32)
        (i32.store (i32.const 16) (local.get $ptr))
        (i32.store (i32.const 20) (local.get $len))
        (i32.const 16))
      ;; (variant) -> (variant): the discriminant and two words of payload, the first of them shared by f32 and i32
      (func (export "shape") (param $case i32) (param $a i32) (param $b i32) (result i32)
        (i32.store8 (i32.const 32) (local.get $case))
        (i32.store (i32.const 36) (local.get $a))
        (i32.store (i32.const 40) (local.get $b))
        (i32.const 32))
      (func (export "access") (param i32) (result i32) (local.get 0))
      (func (export "mode") (param i32) (result i32) (local.get 0)))
    (core instance $i (instantiate $m))
    (func (export "leaves") (param "x" (list $leaf)) (result (list $leaf))
      (canon lift (core func $i "leaves") (memory (core memory $i "mem")) (realloc (core func $i "realloc"))))
    (func (export "shape-of") (param "x" $shape) (result $shape)
      (canon lift (core func $i "shape") (memory (core memory $i "mem")) (realloc (core func $i "realloc"))))
    (func (export "access-of") (param "x" $access) (result $access) (canon lift (core func $i "access")))
    (func (export "mode-of") (param "x" $mode) (result $mode) (canon lift (core func $i "mode"))))
  (instance $echo (instantiate $Echo))
  (export "echo" (instance $echo)))

(component instance $i $Tester)
(assert_return
  (invoke "echo#leaves"
    (list.const
      (record.const
        (field "name" str.const "fir") (field "tags" list.const (str.const "a") (str.const "")) (field "score" option.some (f64.const 1.5)))
      (record.const (field "name" str.const "☃ 🍰") (field "tags" list.const) (field "score" option.none))))
  (list.const
    (record.const
      (field "name" str.const "fir") (field "tags" list.const (str.const "a") (str.const "")) (field "score" option.some (f64.const 1.5)))
    (record.const (field "name" str.const "☃ 🍰") (field "tags" list.const) (field "score" option.none))))
(assert_return (invoke "echo#leaves" (list.const)) (list.const))
(assert_return (invoke "echo#shape-of" (variant.const "point")) (variant.const "point"))
(assert_return (invoke "echo#shape-of" (variant.const "circle" (f32.const 2.5))) (variant.const "circle" (f32.const 2.5)))
(assert_return
  (invoke "echo#shape-of" (variant.const "poly" (list.const (tuple.const (s16.const -1) (s16.const 2)))))
  (variant.const "poly" (list.const (tuple.const (s16.const -1) (s16.const 2)))))
(assert_return (invoke "echo#access-of" (flags.const "read" "exec")) (flags.const "read" "exec"))
(assert_return (invoke "echo#access-of" (flags.const)) (flags.const))
(assert_return (invoke "echo#mode-of" (enum.const "fast")) (enum.const "fast"))
