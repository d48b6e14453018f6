# Sourced by ../build.sh.
need_go
mkdir -p "$BUILD/go-command"
( cd "$GUESTS/go-command" && GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 "$GO" build -trimpath -buildvcs=false -ldflags='-s -w' -o "$BUILD/go-command/out.wasm" . )
# No adapter: Go's heap and the adapter's stack would share memory, so it stays a core module for preview 1.
keep go-command "$BUILD/go-command/out.wasm"
