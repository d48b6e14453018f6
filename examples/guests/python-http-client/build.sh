# Sourced by ../build.sh. The source is copied first, because Python leaves its bytecode beside it.
need_python componentize-py==0.25.1
mkdir -p "$BUILD/python-http-client/wit"
cp "$GUESTS/python-http-client/app.py" "$BUILD/python-http-client/"
cp "$GUESTS/python-http-client/wit/world.wit" "$BUILD/python-http-client/wit/"
wasi_wit "$BUILD/python-http-client/wit"
( cd "$BUILD/python-http-client" && "$PYTHON_BIN/componentize-py" -d wit -w client componentize app -o out.wasm )
keep python-http-client "$BUILD/python-http-client/out.wasm"
