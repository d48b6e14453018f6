package main

import (
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"unsafe"
)

// Memory that the host has filled and that is not read yet, by its address.
var lowered = map[uint32][]uint64{}

// The host asks for memory with this, while one of its functions runs.
//
//go:wasmexport cabi_realloc
func cabiRealloc(old, oldSize, align, size uint32) uint32 {
	if size == 0 {
		return align
	}
	memory := make([]uint64, (size+7)/8)
	address := uint32(uintptr(unsafe.Pointer(&memory[0])))
	if before, there := lowered[old]; there {
		copy(memory, before)
		delete(lowered, old)
	}
	lowered[address] = memory
	return address
}

// lift takes bytes that the host has put there.
func lift(address, length uint32) []byte {
	memory, there := lowered[address]
	if !there || length == 0 {
		return nil
	}
	delete(lowered, address)
	return unsafe.Slice((*byte)(unsafe.Pointer(&memory[0])), len(memory)*8)[:length]
}

// A place for what a function gives back.
type result [12]uint64

func (r *result) at() unsafe.Pointer { return unsafe.Pointer(r) }
func (r *result) bytes() []byte      { return unsafe.Slice((*byte)(r.at()), unsafe.Sizeof(*r)) }
func (r *result) u8(at int) uint8    { return r.bytes()[at] }
func (r *result) u32(at int) uint32  { return binary.LittleEndian.Uint32(r.bytes()[at:]) }
func (r *result) u64(at int) uint64  { return binary.LittleEndian.Uint64(r.bytes()[at:]) }

// The error-code of wasi:sockets.
type code uint8

const wouldBlock code = 8

var codes = [...]string{"unknown", "access-denied", "not-supported", "invalid-argument", "out-of-memory", "timeout", "concurrency-conflict",
	"not-in-progress", "would-block", "invalid-state", "new-socket-limit", "address-not-bindable", "address-in-use", "remote-unreachable",
	"connection-refused", "connection-reset", "connection-aborted", "datagram-too-large", "name-unresolvable", "temporary-resolver-failure",
	"permanent-resolver-failure"}

func (c code) Error() string {
	if int(c) < len(codes) {
		return codes[c]
	}
	return "an error without a name"
}

// failed is the error of a function whose result has its payload at an offset.
func (r *result) failed(payload int) error {
	if r.u8(0) == 0 {
		return nil
	}
	return code(r.u8(payload))
}

// streamFailed is the same for functions of streams.
func (r *result) streamFailed(payload int) error {
	switch {
	case r.u8(0) == 0:
		return nil
	case r.u8(payload) == 1:
		return io.EOF
	}
	handle, text := r.u32(payload+4), new(result)
	errorToDebugString(handle, text.at())
	errorDrop(handle)
	return errors.New(string(lift(text.u32(0), text.u32(4))))
}

// flat is an address as arguments of a function.
func flat(at netip.AddrPort) (f [12]uint32) {
	f[1] = uint32(at.Port())
	if at.Addr().Is4() {
		for i, b := range at.Addr().As4() {
			f[2+i] = uint32(b)
		}
		return f
	}
	f[0] = 1
	octets := at.Addr().As16()
	for i := range 8 {
		f[3+i] = uint32(binary.BigEndian.Uint16(octets[2*i:]))
	}
	return f
}

// stored is an address as it lies in memory.
func stored(at netip.AddrPort) []byte {
	b := make([]byte, 32)
	binary.LittleEndian.PutUint16(b[4:], at.Port())
	if at.Addr().Is4() {
		octets := at.Addr().As4()
		copy(b[6:], octets[:])
		return b
	}
	b[0] = 1
	octets := at.Addr().As16()
	putSegments(b[12:], octets)
	return b
}

func putSegments(b []byte, octets [16]byte) {
	for i := range 8 {
		b[2*i], b[2*i+1] = octets[2*i+1], octets[2*i]
	}
}

// ipAddress reads an address without a port; the numbers of the two cases begin at different places where a port comes first.
func ipAddress(kind uint8, v4, v6 []byte) netip.Addr {
	if kind == 0 {
		return netip.AddrFrom4([4]byte(v4[:4]))
	}
	var octets [16]byte
	putSegments(octets[:], [16]byte(v6[:16]))
	return netip.AddrFrom16(octets)
}

// address reads what `stored` writes.
func address(b []byte) netip.AddrPort {
	return netip.AddrPortFrom(ipAddress(b[0], b[6:], b[12:]), binary.LittleEndian.Uint16(b[4:]))
}
