#!/usr/bin/env bash
# Builds guests. usage: build.sh GUEST... | --small | --large | --all      (see README.md)
set -euo pipefail
GUESTS=$(cd "$(dirname "$0")" && pwd)
BUILD=$GUESTS/build
TOOLS=${WHARF_GUEST_TOOLS:-$BUILD/tools}
small=(rust-command rust-sockets cloud-command rust-library http-hello http-client cloud-http c-command c-sockets cpp-command zig-command composition relay core-module)
large=(go-command go-sockets python-command js-library sqlite-command python-http python-http-client js-http)

case ${1:-} in
    --small) guests=("${small[@]}") ;;
    --large) guests=("${large[@]}") ;;
    --all) guests=("${small[@]}" "${large[@]}") ;;
    '' | -*) sed -n '2s/^# //p' "$0" >&2; exit 2 ;;
    *) guests=("$@") ;;
esac

# What a caller set for its own builds does not hold here.
unset CARGO_BUILD_TARGET CARGO_ENCODED_RUSTFLAGS RUSTFLAGS
mkdir -p "$TOOLS" "$BUILD"
TOOLS=$(cd "$TOOLS" && pwd)
. "$GUESTS/tools/lib.sh"
for guest in "${guests[@]}"; do
    [ -e "$GUESTS/$guest/build.sh" ] || die "there is no guest $guest"
    note "building $guest"
    . "$GUESTS/$guest/build.sh"
done
