;; Imports from the host, which the runner offers under the names below.
(component
  (import "host-echo-u32" (func $echo (param "v" u32) (result u32)))
  (import "host" (instance $host
    (export "return-three" (func (result u32)))
    (export "echo-string" (func (param "v" string) (result string)))))
  (core module $libc
    (memory (export "mem") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get 3)))))
  (core instance $libc (instantiate $libc))
  (core func $echo' (canon lower (func $echo)))
  (core func $three' (canon lower (func $host "return-three")))
  (core func $string' (canon lower (func $host "echo-string")
    (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
  (core module $m
    (import "" "echo" (func $echo (param i32) (result i32)))
    (import "" "three" (func $three (result i32)))
    (import "" "string" (func $string (param i32 i32 i32)))
    (func (export "sum") (param i32) (result i32)
      (i32.add (call $echo (local.get 0)) (call $three)))
    (func (export "string") (param i32 i32) (result i32)
      (call $string (local.get 0) (local.get 1) (i32.const 16))
      (i32.const 16)))
  (core instance $i (instantiate $m (with "" (instance
    (export "echo" (func $echo')) (export "three" (func $three')) (export "string" (func $string'))))))
  (func (export "sum") (param "x" u32) (result u32) (canon lift (core func $i "sum")))
  (func (export "string") (param "x" string) (result string)
    (canon lift (core func $i "string") (memory (core memory $libc "mem")) (realloc (core func $libc "realloc")))))
(assert_return (invoke "sum" (u32.const 39)) (u32.const 42))
(assert_return (invoke "string" (str.const "")) (str.const ""))
(assert_return (invoke "string" (str.const "hällo")) (str.const "hällo"))
