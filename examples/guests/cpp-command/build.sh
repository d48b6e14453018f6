# Sourced by ../build.sh.
need_zig
need_guest_tool
mkdir -p "$BUILD/cpp-command"
( cd "$GUESTS/cpp-command" && "$ZIG" c++ -target wasm32-wasi -std=c++20 -Wall -Os -s -flto -fno-exceptions -fno-sanitize=undefined \
    -o "$BUILD/cpp-command/core.wasm" main.cpp )
"$GUEST_TOOL" component command "$BUILD/cpp-command/core.wasm" "$BUILD/cpp-command/out.wasm"
commit cpp-command "$BUILD/cpp-command/out.wasm"
