# Sourced by ../build.sh. Zig compiles, but has no wasi-libc for WASI 0.2, in which the sockets are; Rust's linker makes the component.
need_zig
need_rust_wasi
need_wasi_libc
out=$BUILD/c-sockets libc=$WASI_LIBC/usr
linkers=$RUST_SYSROOT/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
mkdir -p "$out"
( cd "$out" && "$ZIG" build-lib -target wasm32-freestanding -O ReleaseSmall --name builtins "$ZIG_LIB/compiler_rt.zig" -femit-bin=libbuiltins.a )
( cd "$GUESTS/c-sockets" && "$ZIG" cc -target wasm32-freestanding -D__wasi__ -D__wasip2__ -Dmain=__main_argc_argv -nostdinc \
    -isystem "$libc/include/wasm32-wasip2" -isystem "$ZIG_LIB/include" -std=gnu17 -Wall -Os -fno-sanitize=undefined -c main.c -o "$out/main.o" )
PATH=$linkers/gcc-ld:$linkers:$PATH wasm-component-ld -s -o "$out/out.wasm" "$libc/lib/wasm32-wasip2/crt1-command.o" "$out/main.o" \
    -L"$libc/lib/wasm32-wasip2" -lc-printscan-no-floating-point -lc "$out/libbuiltins.a"
commit c-sockets "$out/out.wasm"
