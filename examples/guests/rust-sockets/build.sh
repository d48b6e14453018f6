# Sourced by ../build.sh.
rust_guest "$GUESTS/rust-sockets" rust-sockets
commit rust-sockets "$RUST_WASM"
