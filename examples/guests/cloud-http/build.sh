# Sourced by ../build.sh.
rust_guest "$GUESTS/cloud-http" cloud_http
commit cloud-http "$RUST_WASM"
