# Functions for the guests' build scripts, sourced by ../build.sh. Each `need_...` function makes one toolchain available and sets the
# variable that its comment names. A toolchain found on PATH is taken as it is; any other is put into $TOOLS, once.
# Set by the driver: GUESTS (this folder's parent), TOOLS, BUILD (where built guests and intermediate files go).

note() { printf '  %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# unpack_debian INTO SUITE PACKAGE[=VERSION]...: Debian packages' files below INTO/usr, for toolchains newer than the machine's Debian.
# Nothing is installed and apt's own state stays as it is; dependencies are not followed.
unpack_debian() {
    local into=$1 suite=$2; shift 2
    local work; work=$(mktemp -d "$TOOLS/apt.XXXXXX")
    mkdir -p "$into" "$work"/{lists/partial,archives/partial,debs}
    local base; base=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -1)
    [ -n "$base" ] || base=$(sed -n 's/^deb \(\[[^]]*\] \)\?\([^ ]*\) .*/\2/p' /etc/apt/sources.list 2>/dev/null | head -1)
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${base:?no Debian mirror in the sources of apt} $suite main" > "$work/sources.list"
    local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists"
        -o "Dir::Cache::archives=$work/archives" -o APT::Sandbox::User=root -o Acquire::Languages=none)
    "${apt[@]}" update && ( cd "$work/debs" && "${apt[@]}" download "$@" ) || die "cannot download $* from Debian's $suite"
    local deb; for deb in "$work"/debs/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$into"; done
    rm -rf "$work"
}

# CARGO_WASI: the cargo that builds for wasm32-wasip2 and wasm32-unknown-unknown, a command in an array; RUST_SYSROOT: its toolchain.
need_rust_wasi() {
    [ -z "${CARGO_WASI+set}" ] || return 0
    if command -v rustup >/dev/null && [ "$(rustup target list --installed | grep -cx 'wasm32-wasip2\|wasm32-unknown-unknown')" = 2 ]; then
        CARGO_WASI=(cargo)
        RUST_SYSROOT=$(rustc --print sysroot)
        return
    fi
    # Without the target: a copy of the installed toolchain to which Debian's sources of the same std and wasi-libc are added.
    local home=$TOOLS/rust-wasi
    if [ ! -e "$home/ready" ]; then
        note "making a Rust toolchain (not needed after: rustup target add wasm32-wasip2 wasm32-unknown-unknown)"
        rm -rf "$home"; mkdir -p "$home"
        local version sysroot target
        version=$(rustc --version | cut -d' ' -f2)
        sysroot=$(rustc --print sysroot)
        unpack_debian "$home/debian" trixie-backports "rust-src=$version*" wasi-libc
        mkdir "$home/toolchain"
        cp -a "$sysroot/bin" "$sysroot/lib" "$home/toolchain/"
        rm -rf "$home/toolchain/lib/rustlib/src"; mkdir -p "$home/toolchain/lib/rustlib/src"
        mv "$home/debian/usr/src/rustc-$version" "$home/toolchain/lib/rustlib/src/rust"
        target=$home/toolchain/lib/rustlib/wasm32-wasip2/lib/self-contained
        mkdir -p "$target"
        cp "$home/debian/usr/lib/wasm32-wasip2"/{crt1-command.o,crt1-reactor.o,libc.a} "$target"
        rm -rf "$home/debian"
        touch "$home/ready"
    fi
    RUST_SYSROOT=$home/toolchain
    CARGO_WASI=(env -u RUSTUP_TOOLCHAIN "PATH=$home/toolchain/bin:$PATH" "RUSTC=$home/toolchain/bin/rustc" RUSTC_BOOTSTRAP=1
        CARGO_UNSTABLE_BUILD_STD=std,panic_abort "$home/toolchain/bin/cargo")
}

# need_rust_wasip1: the same cargo for wasm32-wasip1 as well.
need_rust_wasip1() {
    need_rust_wasi
    local target=$RUST_SYSROOT/lib/rustlib/wasm32-wasip1/lib/self-contained
    [ ! -e "$target/libc.a" ] || return 0
    [ "$RUST_SYSROOT" = "$TOOLS/rust-wasi/toolchain" ] || die "wasm32-wasip1 is missing: rustup target add wasm32-wasip1"
    need_wasi_libc
    mkdir -p "$target"
    cp "$WASI_LIBC/usr/lib/wasm32-wasip1"/{crt1-command.o,crt1-reactor.o,libc.a} "$target"
}

# rust_guest DIR NAME [TARGET]: builds the crate in DIR, for wasm32-wasip2 unless said otherwise; RUST_WASM is the file that comes out.
rust_guest() {
    need_rust_wasi
    local cargo_home=${CARGO_HOME:-$HOME/.cargo} target=${3:-wasm32-wasip2}
    # No path of the building machine in a committed file.
    ( cd "$1" && RUSTFLAGS="--remap-path-prefix=$RUST_SYSROOT/lib/rustlib/src/rust=rust --remap-path-prefix=$cargo_home/registry/src=crates --remap-path-prefix=$GUESTS=guests" \
        CARGO_TARGET_DIR=$BUILD/target "${CARGO_WASI[@]}" build --quiet --locked --release --target "$target" )
    RUST_WASM=$BUILD/target/$target/release/$2.wasm
}

# GUEST_TOOL: the program of guest-tool/.
need_guest_tool() {
    ( cd "$GUESTS/tools/guest-tool" && CARGO_TARGET_DIR=$TOOLS/guest-tool cargo build --quiet --locked --release )
    GUEST_TOOL=$TOOLS/guest-tool/release/guest-tool
}

# need_python: PYTHON_BIN, the bin folder of a virtual environment with the given packages.
need_python() {
    PYTHON_BIN=$TOOLS/python/bin
    [ -x "$PYTHON_BIN/pip" ] || python3 -m venv "$TOOLS/python"
    "$PYTHON_BIN/pip" install --quiet --disable-pip-version-check "$@"
}

# ZIG: Zig, which is a C and C++ compiler as well; ZIG_LIB: the folder of its library.
need_zig() {
    [ -z "${ZIG:-}" ] || return 0
    if command -v zig >/dev/null && [[ $(zig version) == 0.17.* ]]; then
        ZIG=zig
    else
        need_python ziglang==0.17.1
        ZIG=$("$PYTHON_BIN/python" -c 'import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), "zig"))')
    fi
    export ZIG_GLOBAL_CACHE_DIR=$TOOLS/zig-cache ZIG_LOCAL_CACHE_DIR=$TOOLS/zig-cache
    # Zig tells a folder below the working directory by its relative path.
    ZIG_LIB=$(realpath "$("$ZIG" env | sed -n 's/^ *[."]*lib_dir[":= ]*"\(.*\)",*$/\1/p')")
}

# WASI_LIBC: a folder whose usr/ has wasi-libc for every WASI, headers and libraries.
need_wasi_libc() {
    WASI_LIBC=$TOOLS/wasi-libc
    if [ ! -e "$WASI_LIBC/ready" ]; then
        note "unpacking wasi-libc"
        unpack_debian "$WASI_LIBC" trixie-backports wasi-libc
        touch "$WASI_LIBC/ready"
    fi
}

# GO: a Go that is new enough to build for wasip1.
need_go() {
    if command -v go >/dev/null && [[ $(go env GOVERSION) =~ ^go1\.(2[1-9]|[3-9][0-9]) ]]; then
        GO=go
    else
        export GOROOT=$TOOLS/go/usr/lib/go-1.27
        if [ ! -e "$TOOLS/go/ready" ]; then
            note "unpacking Go"
            unpack_debian "$TOOLS/go" trixie-backports golang-1.27-go golang-1.27-src
            touch "$TOOLS/go/ready"
        fi
        GO=$GOROOT/bin/go
    fi
    export GOCACHE=$TOOLS/go-cache GOPATH=$TOOLS/go-path GOTOOLCHAIN=local GOFLAGS=-mod=mod
}

# need_node PACKAGE...: NODE_HOME, a folder with the given npm packages.
need_node() {
    mkdir -p "$TOOLS/node"
    [ -e "$TOOLS/node/package.json" ] || echo '{ "private": true, "type": "module" }' > "$TOOLS/node/package.json"
    local wanted="$*"
    if [ "$(cat "$TOOLS/node/installed" 2>/dev/null)" != "$wanted" ]; then
        note "installing $wanted"
        npm install --silent --no-audit --no-fund --prefix "$TOOLS/node" "$@"
        echo "$wanted" > "$TOOLS/node/installed"
    fi
    NODE_HOME=$TOOLS/node
}

# crate_folder MANIFEST CRATE: prints the folder of a crate that the manifest names, downloaded if it must be.
crate_folder() {
    cargo metadata --quiet --locked --format-version 1 --manifest-path "$1" |
        python3 -c 'import json, os, sys; print(*(os.path.dirname(p["manifest_path"]) for p in json.load(sys.stdin)["packages"] if p["name"] == sys.argv[1]))' "$2"
}

# wasi_wit INTO: a folder `deps` with the official WIT packages of WASI 0.2.12, which the crate `wasip2` carries.
wasi_wit() {
    local crate; crate=$(crate_folder "$GUESTS/tools/wasi-wit/Cargo.toml" wasip2)
    mkdir -p "$1"; rm -rf "$1/deps"; cp -r "$crate/wit/deps" "$1/deps"
}

# place WASM TO: puts a guest in its place.
place() {
    cp "$1" "$2.new"; chmod 644 "$2.new"; mv "$2.new" "$2"
    printf '%9d bytes  %s\n' "$(stat -c %s "$2")" "${2#"$GUESTS/"}"
}

# commit GUEST WASM [NAME]: the guest, or another file of it, to be committed. It must tell nothing about the machine that built it.
commit() {
    local path; for path in "$GUESTS" "$TOOLS" "$HOME/"; do
        ! grep -qaF "$path" "$2" || die "$2 contains the path $path"
    done
    place "$2" "$GUESTS/$1/${3:-$1}.wasm"
}

# keep GUEST WASM: the guest, too large to be committed.
keep() { place "$2" "$BUILD/$1.wasm"; }
