#!/usr/bin/env bash
# Time from process start to the end of a short run, as processes: `wharf run` against `wasmtime run` without a cache.
# usage: benches/startup.sh WHARF WASMTIME GUEST [ARGS...]     (ROUNDS=5)
# Prints the medians of CPU time (user + system) and wall time of both, interleaved, and their ratios.
set -euo pipefail
[ $# -ge 3 ] || { sed -n '2,4s/^# //p' "$0"; exit 2; }
wharf=$1 wasmtime=$2 guest=$3; shift 3
rounds=${ROUNDS:-5}
out=$(mktemp -d); trap 'rm -rf "$out"' EXIT

# measure NAME COMMAND...: appends "cpu wall" in seconds
measure() {
    local name=$1; shift
    local TIMEFORMAT='%U %S %R'
    { time "$@" > "$out/$name.stdout" 2> "$out/$name.stderr" < /dev/null; } 2> "$out/time" ||
        { echo "$name failed:" >&2; cat "$out/$name.stderr" >&2; exit 1; }
    awk '{ printf "%.3f %.3f\n", $1 + $2, $3 }' "$out/time" >> "$out/$name.times"
}

for _ in $(seq "$rounds"); do
    measure wharf "$wharf" run "$guest" -- "$@"
    measure wasmtime "$wasmtime" run -C cache=n "$guest" "$@"
done

median() { awk -v col="$2" '{ print $col }' "$out/$1.times" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
echo "| $(basename "$guest") | Wharf | Wasmtime | Wasmtime / Wharf |"
echo "|---|---:|---:|---:|"
for row in "CPU s:1" "wall s:2"; do
    a=$(median wharf "${row#*:}") b=$(median wasmtime "${row#*:}")
    awk -v n="${row%:*}" -v a="$a" -v b="$b" 'BEGIN { printf "| %s | %.3f | %.3f | %.1f |\n", n, a, b, (a > 0 ? b / a : 0) }'
done
