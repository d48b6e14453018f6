# Sourced by ../build.sh.
need_python componentize-py==0.25.1
mkdir -p "$BUILD/python-command/wit"
cp "$GUESTS/python-command/wit/world.wit" "$BUILD/python-command/wit/"
wasi_wit "$BUILD/python-command/wit"
( cd "$GUESTS/python-command" && PYTHONDONTWRITEBYTECODE=1 "$PYTHON_BIN/componentize-py" -d "$BUILD/python-command/wit" -w cmd componentize app -o "$BUILD/python-command/out.wasm" )
finish python-command "$BUILD/python-command/out.wasm" built
