# Sourced by ../build.sh. SQLite's source comes with a crate, which is pinned for the benchmarks.
need_zig
need_guest_tool
mkdir -p "$BUILD/sqlite-command"
sqlite=$(crate_folder "$GUESTS/../../benches/guests/c/Cargo.toml" libsqlite3-sys)/sqlite3
( cd "$GUESTS/sqlite-command" && "$ZIG" cc -target wasm32-wasi -std=gnu17 -O2 -s -w -fno-sanitize=undefined -DNDEBUG "-I$sqlite" -o "$BUILD/sqlite-command/core.wasm" \
    -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_WAL -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_TEMP_STORE=3 -DSQLITE_DQS=0 \
    -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_PROCESS_CLOCKS -D_WASI_EMULATED_GETPID -D_WASI_EMULATED_MMAN \
    main.c "$sqlite/sqlite3.c" -lwasi-emulated-signal -lwasi-emulated-process-clocks -lwasi-emulated-getpid -lwasi-emulated-mman )
"$GUEST_TOOL" component command "$BUILD/sqlite-command/core.wasm" "$BUILD/sqlite-command/out.wasm"
keep sqlite-command "$BUILD/sqlite-command/out.wasm"
