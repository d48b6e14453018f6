# Sourced by ../build.sh. The C and Zig commands before the adapter, and the Rust command for preview 1: core modules.
for language in c zig; do
    ( . "$GUESTS/$language-command/build.sh" )
    commit core-module "$BUILD/$language-command/core.wasm" "$language-core"
done
need_rust_wasip1
rust_guest "$GUESTS/rust-command" rust-command wasm32-wasip1
commit core-module "$RUST_WASM" rust-core
