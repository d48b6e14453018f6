# Sourced by ../build.sh. The source is copied first, because Python leaves its bytecode beside it.
need_python componentize-py==0.25.1
mkdir -p "$BUILD/python-command/wit"
cp "$GUESTS/python-command/app.py" "$BUILD/python-command/"
cp "$GUESTS/python-command/wit/world.wit" "$BUILD/python-command/wit/"
wasi_wit "$BUILD/python-command/wit"
( cd "$BUILD/python-command" && "$PYTHON_BIN/componentize-py" -d wit -w cmd componentize app -o out.wasm )
keep python-command "$BUILD/python-command/out.wasm"
