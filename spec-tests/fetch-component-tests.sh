#!/usr/bin/env bash
# Fetches the official Component Model tests, at the commit that Wharf is held against, into spec-tests/component-model.
set -euo pipefail
cd "$(dirname "$0")"
commit=6d28164
[ -d component-model/.git ] || git clone --filter=blob:none --no-checkout https://github.com/WebAssembly/component-model component-model
git -C component-model checkout --quiet "$commit"
git -C component-model log -1 --format='component-model at %h (%cs)'
