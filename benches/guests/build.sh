#!/usr/bin/env bash
# Builds the benchmarks' modules into benches/kernels/ and benches/programs/. Those are committed: only needed after a
# change of the sources, and for benches/programs/large/, which is not committed.
# usage: benches/guests/build.sh [--large]     (--large builds only the programs that are not committed)
# Needs what examples/guests/build.sh needs for Rust and C, and gets it in the same way.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
benches=$here/..
GUESTS=$(cd "$here/../../examples/guests" && pwd)
BUILD=$GUESTS/build
TOOLS=${WHARF_GUEST_TOOLS:-$BUILD/tools}
unset CARGO_BUILD_TARGET CARGO_ENCODED_RUSTFLAGS RUSTFLAGS
mkdir -p "$TOOLS" "$BUILD" "$benches/programs/large"
TOOLS=$(cd "$TOOLS" && pwd)
. "$GUESTS/tools/lib.sh"
need_rust_wasi
cargo_home=${CARGO_HOME:-$HOME/.cargo}

# The features of the first Wasm engines and a bit more, so that wasm3 takes the modules. The standard library follows
# only where it is built along; of `rustup target add` it has its own features, which only wasm3 minds.
plain="-C target-feature=-reference-types,-call-indirect-overlong"
simd="-C target-feature=+simd128"

# rust FLAGS PACKAGE=FILE...: builds packages of the workspace and copies their modules to benches/FILE.
rust() {
    local flags=$1 pair packages=(); shift
    local target=${CARGO_TARGET_DIR:-$here/target}
    for pair in "$@"; do packages+=(-p "${pair%%=*}"); done
    # No path of the building machine in a committed file. `getrandom` is not asked anything before the host can be.
    ( cd "$here" && RUSTFLAGS="$flags --cfg getrandom_backend=\"custom\" --remap-path-prefix=$RUST_SYSROOT/lib/rustlib/src/rust=rust --remap-path-prefix=$cargo_home/registry/src=crates --remap-path-prefix=$here=guests" \
        CARGO_TARGET_DIR=$target "${CARGO_WASI[@]}" build --quiet --locked --release --target wasm32-unknown-unknown "${packages[@]}" )
    for pair in "$@"; do
        local name=${pair%%=*}
        install -m 644 "$target/wasm32-unknown-unknown/release/${name//-/_}.wasm" "$benches/${pair#*=}"
    done
}

# source_of CRATE: the folder of a crate that carries C sources.
source_of() {
    ( cd "$here/c" && cargo metadata --locked --format-version 1 ) |
        grep -o "\"manifest_path\":\"[^\"]*/$1-[0-9.+a-z]*/Cargo.toml\"" | sed 's/.*:"\(.*\)\/Cargo.toml"/\1/' | head -1
}

# c NAME ARGS...: builds c/NAME.c with further sources and flags into benches/programs/NAME.wasm.
c() {
    local name=$1; shift
    ( cd "$here/c" && "$ZIG" cc -target wasm32-wasi -mcpu=mvp+bulk_memory+sign_ext+nontrapping_fptoint+mutable_globals+multivalue \
        -mexec-model=reactor -Wl,--no-entry -Wl,--export=run -Wl,-z,stack-size=1048576 -O2 -s -DNDEBUG -std=gnu23 -w -fno-sanitize=undefined \
        "-ffile-prefix-map=$cargo_home/registry/src=crates" -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_PROCESS_CLOCKS \
        -o "$benches/programs/$name.wasm" "$name.c" no-wasi.c -I. "$@" -lwasi-emulated-signal -lwasi-emulated-process-clocks )
    chmod 644 "$benches/programs/$name.wasm"
}

if [ "${1:-}" = --large ]; then
    note "Boa"
    rust "$plain" boa-guest=programs/large/boa.wasm
    # Components: commands for benches/commands.sh, with a function for the table of programs.
    note "CPython"
    need_python componentize-py==0.25.1
    mkdir -p "$BUILD/python-work/wit" "$BUILD/js-work/wit"
    cp "$here/python/app.py" "$BUILD/python-work/"
    cp "$here/python/world.wit" "$BUILD/python-work/wit/"
    wasi_wit "$BUILD/python-work/wit"
    ( cd "$BUILD/python-work" && "$PYTHON_BIN/componentize-py" -d wit -w cmd componentize app -o "$benches/programs/large/python-work.wasm" )
    note "SpiderMonkey"
    need_node @bytecodealliance/componentize-js@0.23 @bytecodealliance/preview2-shim@0.17
    cat "$here/scripts/work.js" "$here/js/command.js" > "$BUILD/js-work/work.js"
    cp "$here/js/world.wit" "$BUILD/js-work/wit/"
    wasi_wit "$BUILD/js-work/wit"
    cp "$here/js/componentize.js" "$NODE_HOME/componentize-work.js"
    # Not from the folder of temporary files, below which componentize-js loses its own.
    ( cd "$BUILD/js-work" && node "$NODE_HOME/componentize-work.js" work.js wit "$benches/programs/large/js-work.wasm" )
    exit
fi

note "programs in Rust"
rust "$plain" kernels=kernels/kernels.wasm large=kernels/large.wasm bignum=programs/bignum.wasm classics=programs/classics.wasm \
    deflate=programs/deflate.wasm ecdsa-guest=programs/ecdsa.wasm images=programs/images.wasm json=programs/json.wasm \
    markdown=programs/markdown.wasm regex-guest=programs/regex.wasm rhai-guest=programs/rhai.wasm sqlparser-guest=programs/sqlparser.wasm
note "programs in Rust with SIMD"
rust "$simd" blake3-guest=programs/blake3.wasm raster=programs/raster.wasm

need_zig
note "SQLite"
sqlite=$(source_of libsqlite3-sys)/sqlite3
c sqlite "-I$sqlite" "$sqlite/sqlite3.c" -DSQLITE_OS_OTHER=1 -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL \
    -DSQLITE_TEMP_STORE=3 -DSQLITE_DQS=0 -DSQLITE_DEFAULT_MEMSTATUS=0
note "Lua"
lua=$(source_of lua-src)/lua-5.4.9
sources=()
for name in api auxlib baselib code ctype debug do dump func gc lex mathlib mem object opcodes parser state string strlib table tablib tm undump vm zio; do
    sources+=("$lua/l$name.c")
done
# An error in Lua ends the program, as jumping out needs exceptions; nothing is random.
c lua -Ishim "-I$lua" "${sources[@]}" '-DLUAI_THROW(L,c)=__builtin_trap()' '-DLUAI_TRY(L,c,...)=__VA_ARGS__' -Dluai_jmpbuf=int \
    '-Dl_randomizePivot()=0' '-Dluai_makeseed(L)=1'
note "QuickJS"
quickjs=$(source_of rquickjs-sys)/quickjs
c quickjs "-I$quickjs" -D_GNU_SOURCE "$quickjs"/{quickjs,libregexp,libunicode,dtoa}.c
ls -l "$benches/kernels" "$benches/programs"
