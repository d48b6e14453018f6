# Sourced by ../build.sh.
rust_guest "$GUESTS/rust-library" rust_library wasm32-unknown-unknown
need_guest_tool
"$GUEST_TOOL" component reactor "$RUST_WASM" "$BUILD/rust-library.new"
commit rust-library "$BUILD/rust-library.new"
