#!/usr/bin/env bash
# Whole processes: guests run by `wharf run` and by `wasmtime run` (without its cache), in turns. Prints medians of wall time,
# processor time (all threads) and peak resident size, and checks that both print the same.
# usage: benches/commands.sh WHARF WASMTIME [GUEST [ARGS...]]      (ROUNDS=5; WHARF_FLAGS, WASMTIME_FLAGS: further flags of `run`)
# Without a guest: all commands of examples/guests and benches/programs/large that are there. Needs python3.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,5s/^# //p' "$0"; exit 2; }
wharf=$1 wasmtime=$2; shift 2
guests=$(cd "$(dirname "$0")/../examples/guests" && pwd)
large=$(cd "$(dirname "$0")" && pwd)/programs/large

# compare NAME GUEST [ARGS...]: one row of the table. The least that Linux reports as a child's peak is what its parent had
# when it started it, some 10 MiB for Python.
compare() {
    python3 - "${ROUNDS:-5}" "$wharf" "$wasmtime" "${WHARF_FLAGS:-}" "${WASMTIME_FLAGS:--C cache=n}" "$@" <<'PYTHON'
import os, statistics, subprocess, sys, tempfile, time

rounds, wharf, wasmtime, wharf_flags, wasmtime_flags, name, guest, *args = sys.argv[1:]
invoke = [args.pop(0), args.pop(0)] if args[:1] == ["--invoke"] else []
commands = [
    [wharf, "run", *wharf_flags.split(), *invoke, guest, *(["--", *args] if args else [])],
    [wasmtime, "run", *wasmtime_flags.split(), *invoke, guest, *args],
]

def run(command):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0); err.seek(0)
        if child.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{err.read().decode(errors='replace')}")
        scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
        return out.read(), (wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale)

samples = [[], []]
for number in range(int(rounds)):
    outputs = [None, None]
    for engine in (0, 1) if number % 2 == 0 else (1, 0):
        outputs[engine], sample = run(commands[engine])
        samples[engine].append(sample)
    if outputs[0] != outputs[1]:
        sys.exit(f"{name}: outputs differ")
medians = [[statistics.median(column) for column in zip(*rows)] for rows in samples]
cells = [f"{value:.3f}" if i < 2 else f"{value:.1f}" for row in medians for i, value in enumerate(row)]
ratios = [f"{b / a:.2f}" if a else "–" for a, b in zip(*medians)]
print("|", " | ".join([name, *cells, *ratios]), "|", flush=True)
PYTHON
}

echo "| Command | Wharf: wall s | CPU s | MiB | Wasmtime: wall s | CPU s | MiB | Wasmtime / Wharf: wall | CPU | memory |"
echo "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
if [ $# -gt 0 ]; then
    name=$(basename "$1" .wasm)
    compare "$name" "$@"
    exit
fi

# row NAME GUEST [ARGS...]: a row, if the guest is there.
row() {
    if [ -e "$2" ]; then compare "$@"; else echo "$2 is not there: $1 is left out" >&2; fi
}
row "Rust, hello" "$guests/rust-command/rust-command.wasm" hello
row "C++, hello" "$guests/cpp-command/cpp-command.wasm"
row "Go, goroutines" "$guests/build/go-command.wasm" goroutines
row "CPython, hello" "$guests/build/python-command.wasm" hello
row "CPython, all" "$guests/build/python-command.wasm"
row "JavaScript library, greet" "$guests/build/js-library.wasm" --invoke 'greet("Wharf")'
row "CPython, work once" "$large/python-work.wasm" 1
row "CPython, work 200 times" "$large/python-work.wasm" 200
row "SpiderMonkey, work once" "$large/js-work.wasm" 1
row "SpiderMonkey, work 100 times" "$large/js-work.wasm" 100
