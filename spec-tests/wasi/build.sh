#!/usr/bin/env bash
# Builds the suite's components: those in components/, and those too large for that.
# usage: build.sh [--small | --large]   (both by default; toolchains: see examples/guests/README.md)
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

small() {
    # One crate makes all that use nothing but what is in WASI 0.2.
    rust_guest "$HERE/guests" wasi-filesystem
    local package rust; rust=$(dirname "$RUST_WASM")
    for package in io clocks random cli filesystem sockets http; do finish "$rust/wasi-$package.wasm"; done
    rust_guest "$HERE/guests/cloud" wasi-keyvalue
    for package in config keyvalue logging; do finish "$rust/wasi-$package.wasm"; done

    # One that serves has no main function, so that it is a crate of its own.
    rust_guest "$HERE/guests/served" wasi_conformance_served
    local served=$BUILD/wasi-http-served.wasm
    cp "$RUST_WASM" "$served"
    finish "$served"

    # The one in C is made as examples/guests/c-sockets is.
    need_zig
    need_wasi_libc
    local out=$BUILD/wasi-libc-cases libc=$WASI_LIBC/usr linkers
    linkers=$RUST_SYSROOT/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
    mkdir -p "$out"
    ( cd "$out" && "$ZIG" build-lib -target wasm32-freestanding -O ReleaseSmall --name builtins "$ZIG_LIB/compiler_rt.zig" -femit-bin=libbuiltins.a )
    ( cd "$HERE/guests/c" && "$ZIG" cc -target wasm32-freestanding -D__wasi__ -D__wasip2__ -Dmain=__main_argc_argv -nostdinc \
        -isystem "$libc/include/wasm32-wasip2" -isystem "$ZIG_LIB/include" -std=gnu17 -Wall -Os -fno-sanitize=undefined -c main.c -o "$out/main.o" )
    PATH=$linkers/gcc-ld:$linkers:$PATH wasm-component-ld -s -o "$out/wasi-libc.wasm" "$libc/lib/wasm32-wasip2/crt1-command.o" "$out/main.o" \
        -L"$libc/lib/wasm32-wasip2" -lc-printscan-no-floating-point -lc "$out/libbuiltins.a"
    finish "$out/wasi-libc.wasm"
}

large() {
    # The source is copied first, because Python leaves its bytecode beside it.
    need_python componentize-py==0.25.1
    local out=$BUILD/wasi-python-cases wit
    rm -rf "$out"; mkdir -p "$out/wit"
    cp "$HERE/guests/python/"*.py "$out/"
    cp "$HERE/guests/python/world.wit" "$out/wit/"
    wasi_wit "$out/wit"
    ( cd "$out" && "$PYTHON_BIN/componentize-py" -d wit -w cases componentize app -o out.wasm )
    keep wasi-python "$out/out.wasm"

    # The runtime's `fetch` is made for 0.2.10, and its packages have to be there beside those that the cases import.
    need_node @bytecodealliance/componentize-js@0.23 @bytecodealliance/preview2-shim@0.17
    out=$BUILD/wasi-js-cases
    rm -rf "$out"; mkdir -p "$out/wit"
    cp "$HERE/guests/js/world.wit" "$out/wit/"
    wasi_wit "$out/wit"
    for wit in "$out/wit/deps/"*.wit; do
        sed 's/@0\.2\.12/@0.2.10/; s/version = 0\.2\.1[12]/version = 0.2.10/' "$wit" > "${wit%.wit}-0.2.10.wit"
    done
    cp "$HERE/guests/js/componentize.mjs" "$NODE_HOME/componentize-cases.mjs"
    node "$NODE_HOME/componentize-cases.mjs" "$HERE/guests/js/app.js" "$out/wit" "$out/out.wasm"
    keep wasi-js "$out/out.wasm"
}

case ${1:-} in
    --small) small ;;
    --large) large ;;
    '') small; large ;;
    *) sed -n '2,3s/^# //p' "$0" >&2; exit 2 ;;
esac
