# Sourced by ../build.sh. The source is copied first, because Python leaves its bytecode beside it.
need_python componentize-py==0.25.1
mkdir -p "$BUILD/python-http/wit"
cp "$GUESTS/python-http/app.py" "$BUILD/python-http/"
cp "$GUESTS/python-http/wit/world.wit" "$BUILD/python-http/wit/"
wasi_wit "$BUILD/python-http/wit"
( cd "$BUILD/python-http" && "$PYTHON_BIN/componentize-py" -d wit -w handler componentize app -o out.wasm )
keep python-http "$BUILD/python-http/out.wasm"
