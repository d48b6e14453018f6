# Sourced by ../build.sh.
need_zig
rust_guest "$GUESTS/composition/provider" composition_provider wasm32-unknown-unknown
need_guest_tool
out=$BUILD/composition
mkdir -p "$out"
"$GUEST_TOOL" component reactor "$RUST_WASM" "$out/provider.wasm"
"$GUEST_TOOL" bindings-c "$GUESTS/composition/wit" consumer "$out/bindings"
( cd "$GUESTS/composition/consumer" && "$ZIG" cc -target wasm32-wasi -std=gnu17 -Wall -Os -s -fno-sanitize=undefined -I"$out/bindings" -o "$out/core.wasm" \
    main.c "$out/bindings/consumer.c" "$out/bindings/consumer_component_type.o" )
"$GUEST_TOOL" component command "$out/core.wasm" "$out/consumer.wasm"
"$GUEST_TOOL" plug "$out/consumer.wasm" "$out/provider.wasm" "$out/out.wasm"
commit composition "$out/out.wasm"
