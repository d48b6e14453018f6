# Sourced by ../build.sh. The runtime's `fetch` events want the packages of 0.2.10; those of 0.2.12 have nothing else in what a handler uses.
need_node @bytecodealliance/componentize-js@0.23 @bytecodealliance/preview2-shim@0.17
mkdir -p "$BUILD/js-http/wit"
cp "$GUESTS/js-http/wit/world.wit" "$BUILD/js-http/wit/"
wasi_wit "$BUILD/js-http/wit"
find "$BUILD/js-http/wit/deps" -name '*.wit' -exec sed -i 's/@0\.2\.12/@0.2.10/; s/version = 0\.2\.1[12]/version = 0.2.10/' {} +
cp "$GUESTS/js-http/componentize.js" "$NODE_HOME/componentize-http.js"
node "$NODE_HOME/componentize-http.js" "$GUESTS/js-http/handler.js" "$BUILD/js-http/wit" "$BUILD/js-http/out.wasm"
keep js-http "$BUILD/js-http/out.wasm"
