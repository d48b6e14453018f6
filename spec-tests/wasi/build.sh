#!/usr/bin/env bash
# Builds the suite's components into components/. usage: build.sh   (toolchains: see examples/guests/README.md)
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
GUESTS=$(cd "$HERE/../../examples/guests" && pwd)
BUILD=$GUESTS/build
TOOLS=${WHARF_GUEST_TOOLS:-$BUILD/tools}
unset CARGO_BUILD_TARGET CARGO_ENCODED_RUSTFLAGS RUSTFLAGS
mkdir -p "$TOOLS" "$BUILD"
TOOLS=$(cd "$TOOLS" && pwd)
. "$GUESTS/tools/lib.sh"

# finish WASM: a component to be committed, which must tell nothing about the machine that built it.
finish() {
    local path; for path in "$HERE" "$GUESTS" "$TOOLS" "$HOME/"; do
        ! grep -qaF "$path" "$1" || die "$1 contains the path $path"
    done
    place "$1" "$HERE/components/$(basename "$1")"
}

# One crate makes all that are in Rust.
rust_guest "$HERE/guests" wasi-filesystem
rust=$(dirname "$RUST_WASM")
for package in io clocks random cli filesystem sockets http; do finish "$rust/wasi-$package.wasm"; done

# One that serves has no main function, so that it is a crate of its own.
rust_guest "$HERE/guests/served" wasi_conformance_served
served=$BUILD/wasi-http-served.wasm
cp "$RUST_WASM" "$served"
finish "$served"

# The one in C is made as examples/guests/c-sockets is.
need_zig
need_wasi_libc
out=$BUILD/wasi-libc-cases libc=$WASI_LIBC/usr
linkers=$RUST_SYSROOT/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
mkdir -p "$out"
( cd "$out" && "$ZIG" build-lib -target wasm32-freestanding -O ReleaseSmall --name builtins "$ZIG_LIB/compiler_rt.zig" -femit-bin=libbuiltins.a )
( cd "$HERE/guests/c" && "$ZIG" cc -target wasm32-freestanding -D__wasi__ -D__wasip2__ -Dmain=__main_argc_argv -nostdinc \
    -isystem "$libc/include/wasm32-wasip2" -isystem "$ZIG_LIB/include" -std=gnu17 -Wall -Os -fno-sanitize=undefined -c main.c -o "$out/main.o" )
PATH=$linkers/gcc-ld:$linkers:$PATH wasm-component-ld -s -o "$out/wasi-libc.wasm" "$libc/lib/wasm32-wasip2/crt1-command.o" "$out/main.o" \
    -L"$libc/lib/wasm32-wasip2" -lc-printscan-no-floating-point -lc "$out/libbuiltins.a"
finish "$out/wasi-libc.wasm"
