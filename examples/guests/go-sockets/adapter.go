package main

// Memory for the preview 1 adapter: its state and its stack. Go takes all memory behind its own for its heap, so what the adapter would grow for
// itself would be overwritten. `guest-tool component-go` finds these bytes by what they begin with and has the adapter use them.
var adapterMemory = [132 << 10]byte{'g', 'u', 'e', 's', 't', '-', 't', 'o', 'o', 'l', ' ', 'a', 'd', 'a', 'p', 't', 'e', 'r', ' ', 'm', 'e', 'm', 'o', 'r', 'y', '!', '\n'}

// Otherwise the linker would leave it out.
var _ = keep(&adapterMemory)

//go:noinline
func keep(memory *[132 << 10]byte) byte { return memory[len(memory)-1] }
