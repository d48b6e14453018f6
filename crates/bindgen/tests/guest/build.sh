#!/usr/bin/env bash
# Builds mirror.wasm, the guest of the tests in this folder, with the tools of examples/guests.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
GUESTS=$here/../../../../examples/guests
BUILD=${WHARF_GUEST_BUILD:-$GUESTS/build}
TOOLS=${WHARF_GUEST_TOOLS:-$BUILD/tools}
mkdir -p "$BUILD" "$TOOLS"
GUESTS=$(cd "$GUESTS" && pwd); BUILD=$(cd "$BUILD" && pwd); TOOLS=$(cd "$TOOLS" && pwd)
. "$GUESTS/tools/lib.sh"
rust_guest "$here" mirror wasm32-unknown-unknown
need_guest_tool
"$GUEST_TOOL" component reactor "$RUST_WASM" "$here/mirror.wasm"
