# Sourced by ../build.sh.
need_go
need_guest_tool
mkdir -p "$BUILD/go-sockets/wit"
cp "$GUESTS/go-sockets/wit/world.wit" "$BUILD/go-sockets/wit/"
wasi_wit "$BUILD/go-sockets/wit"
( cd "$GUESTS/go-sockets" && GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 "$GO" build -trimpath -buildvcs=false -ldflags='-s -w' -o "$BUILD/go-sockets/core.wasm" . )
"$GUEST_TOOL" component-go "$BUILD/go-sockets/wit" sockets "$BUILD/go-sockets/core.wasm" "$BUILD/go-sockets/out.wasm"
keep go-sockets "$BUILD/go-sockets/out.wasm"
