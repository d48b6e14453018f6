# Sourced by ../build.sh.
rust_guest "$GUESTS/rust-command" rust-command
commit rust-command "$RUST_WASM"
