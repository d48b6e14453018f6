# Sourced by ../build.sh.
rust_guest "$GUESTS/cloud-command" cloud-command
commit cloud-command "$RUST_WASM"
