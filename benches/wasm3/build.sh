#!/usr/bin/env bash
# Builds benches/wasm3/build/runner, with which the benchmarks include wasm3; without it they leave wasm3 out.
# usage: benches/wasm3/build.sh
# Needs a C compiler, and python3 with pip, which fetches wasm3's sources (the package pywasm3 carries them).
set -euo pipefail
cd "$(dirname "$0")"
version=0.5.0
mkdir -p build
if [ ! -d "build/pywasm3-$version" ]; then
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --dest build "pywasm3==$version"
    tar -C build -xzf "build/pywasm3-$version.tar.gz"
fi
# The flags of wasm3's own release build: its handlers rely on tail calls being made jumps.
"${CC:-cc}" -O3 -DNDEBUG -w -fomit-frame-pointer -fno-stack-check -fno-stack-protector -I "build/pywasm3-$version/wasm3" \
    -o build/runner runner.c "build/pywasm3-$version"/wasm3/*.c -lm
ls -l build/runner
