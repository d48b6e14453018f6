# Sourced by ../build.sh. The C and Zig commands before the adapter: core modules for preview 1.
for language in c zig; do
    ( . "$GUESTS/$language-command/build.sh" )
    commit core-module "$BUILD/$language-command/core.wasm" "$language-core"
done
