# Sourced by ../build.sh. Two files come out: the relay alone, for hosts that implement its imports, and the relay on top of rust-library.
rust_guest "$GUESTS/relay" relay wasm32-unknown-unknown
need_guest_tool
[ -e "$GUESTS/rust-library/rust-library.wasm" ] || die "build rust-library first"
mkdir -p "$BUILD/relay"
"$GUEST_TOOL" component reactor "$RUST_WASM" "$BUILD/relay/open.wasm"
"$GUEST_TOOL" plug "$BUILD/relay/open.wasm" "$GUESTS/rust-library/rust-library.wasm" "$BUILD/relay/out.wasm"
commit relay "$BUILD/relay/open.wasm" relay-open
commit relay "$BUILD/relay/out.wasm"
