# Sourced by ../build.sh.
rust_guest "$GUESTS/http-client" http-client
commit http-client "$RUST_WASM"
