#!/usr/bin/env bash
# `wharf serve` and `wasmtime serve` under load on loopback, in turns: requests per second, latencies, peak resident size, and the time
# from start to first response. Then what `wharf serve` holds: idle connections and slow requests.
# usage: benches/serve.sh WHARF WASMTIME [--write]
#   ROUNDS=3 SECONDS_EACH=10 CONNECTIONS=32 IDLE=10000 SLOW=1000; WHARF_FLAGS, WASMTIME_FLAGS: further flags of `serve`
#   --write puts the tables into docs/benchmarks.md
# Needs python3, `wrk` (a package of Debian's) and examples/guests/build.sh js-http python-http.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,7s/^# //p' "$0"; exit 2; }
command -v wrk >/dev/null || { echo "wrk is not there" >&2; exit 1; }
# A descriptor per connection, in the server and here.
ulimit -n "$(ulimit -Hn)"
exec python3 "$(dirname "$0")/serve.py" "$@"
