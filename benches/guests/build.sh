#!/usr/bin/env bash
# Builds the benchmark modules into benches/kernels/. They are committed: only needed after a change of the sources.
# usage: benches/guests/build.sh
# Needs a cargo with the target wasm32-unknown-unknown: `rustup target add wasm32-unknown-unknown`, or name another one
# in $CARGO (with BUILD_STD=std,panic_abort for toolchains that build the standard library themselves).
set -euo pipefail
cd "$(dirname "$0")"
target=${CARGO_TARGET_DIR:-target}
"${CARGO:-cargo}" build --release --target wasm32-unknown-unknown
for name in kernels large; do
    cp "$target/wasm32-unknown-unknown/release/$name.wasm" "../kernels/$name.wasm"
done
ls -l ../kernels
