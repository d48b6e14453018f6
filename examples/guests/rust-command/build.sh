# Sourced by ../build.sh.
rust_guest "$GUESTS/rust-command" rust-command
finish rust-command "$RUST_WASM" committed
