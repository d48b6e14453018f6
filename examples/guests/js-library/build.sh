# Sourced by ../build.sh.
need_node @bytecodealliance/componentize-js@0.23 @bytecodealliance/preview2-shim@0.17
mkdir -p "$BUILD/js-library"
cp "$GUESTS/js-library/componentize.js" "$NODE_HOME/"
node "$NODE_HOME/componentize.js" "$GUESTS/js-library/library.js" "$GUESTS/js-library/wit" "$BUILD/js-library/out.wasm"
keep js-library "$BUILD/js-library/out.wasm"
