# Sourced by ../build.sh.
need_zig
need_guest_tool
mkdir -p "$BUILD/zig-command"
( cd "$GUESTS/zig-command" && "$ZIG" build-exe -target wasm32-wasi -mcpu=lime1+simd128 -O ReleaseSmall -fstrip main.zig "-femit-bin=$BUILD/zig-command/core.wasm" )
"$GUEST_TOOL" component command "$BUILD/zig-command/core.wasm" "$BUILD/zig-command/out.wasm"
commit zig-command "$BUILD/zig-command/out.wasm"
