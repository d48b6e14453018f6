# Sourced by ../build.sh.
need_zig
need_guest_tool
mkdir -p "$BUILD/c-command"
( cd "$GUESTS/c-command" && "$ZIG" cc -target wasm32-wasi -std=gnu17 -Wall -Os -s -fno-sanitize=undefined -o "$BUILD/c-command/core.wasm" main.c )
"$GUEST_TOOL" component command "$BUILD/c-command/core.wasm" "$BUILD/c-command/out.wasm"
commit c-command "$BUILD/c-command/out.wasm"
