# Sourced by ../build.sh.
rust_guest "$GUESTS/http-hello" http_hello
commit http-hello "$RUST_WASM"
