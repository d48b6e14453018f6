package main

import (
	"io"
	"net/netip"
	"unsafe"
)

func family(at netip.AddrPort) uint32 {
	if at.Addr().Is4() {
		return 0
	}
	return 1
}

func newTCP(at netip.AddrPort) (uint32, error) {
	ret := new(result)
	createTCPSocket(family(at), ret.at())
	return ret.u32(4), ret.failed(4)
}

// finish asks for the result of what was started until it is there.
func finish(subscribe func(uint32) uint32, socket uint32, ret *result, payload int, ask func(uint32, unsafe.Pointer)) error {
	for {
		ask(socket, ret.at())
		err := ret.failed(payload)
		if err != wouldBlock {
			return err
		}
		await(subscribe(socket))
	}
}

// Something that accepts connections.
type listener struct{ socket uint32 }

func listen(at netip.AddrPort) (listener, string, error) {
	socket, err := newTCP(at)
	if err != nil {
		return listener{}, "socket", err
	}
	ret, f := new(result), flat(at)
	tcpStartBind(socket, instanceNetwork(), f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], f[10], f[11], ret.at())
	if err := ret.failed(1); err != nil {
		return listener{}, "bind", err
	}
	if err := finish(tcpSubscribe, socket, ret, 1, tcpFinishBind); err != nil {
		return listener{}, "bind", err
	}
	tcpStartListen(socket, ret.at())
	if err := ret.failed(1); err != nil {
		return listener{}, "listen", err
	}
	return listener{socket}, "listen", finish(tcpSubscribe, socket, ret, 1, tcpFinishListen)
}

func (l listener) address() (netip.AddrPort, error) {
	ret := new(result)
	tcpLocalAddress(l.socket, ret.at())
	if err := ret.failed(4); err != nil {
		return netip.AddrPort{}, err
	}
	return address(ret.bytes()[4:]), nil
}

func (l listener) accept() (*conn, error) {
	ret := new(result)
	err := finish(tcpSubscribe, l.socket, ret, 4, tcpAccept)
	return &conn{ret.u32(4), ret.u32(8), ret.u32(12)}, err
}

func (l listener) close() { tcpDrop(l.socket) }

// A connection.
type conn struct{ socket, input, output uint32 }

func connect(at netip.AddrPort) (*conn, error) {
	socket, err := newTCP(at)
	if err != nil {
		return nil, err
	}
	ret, f := new(result), flat(at)
	tcpStartConnect(socket, instanceNetwork(), f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], f[10], f[11], ret.at())
	if err := ret.failed(1); err != nil {
		return nil, err
	}
	err = finish(tcpSubscribe, socket, ret, 4, tcpFinishConnect)
	return &conn{socket, ret.u32(4), ret.u32(8)}, err
}

func (c *conn) Read(p []byte) (int, error) {
	for {
		ret := new(result)
		inputStreamRead(c.input, uint64(len(p)), ret.at())
		if err := ret.streamFailed(4); err != nil {
			return 0, err
		}
		if n := copy(p, lift(ret.u32(4), ret.u32(8))); n > 0 || len(p) == 0 {
			return n, nil
		}
		await(inputStreamSubscribe(c.input))
	}
}

// room waits until something can be written, and says how much.
func (c *conn) room() (int, error) {
	for {
		ret := new(result)
		outputStreamCheckWrite(c.output, ret.at())
		if err := ret.streamFailed(8); err != nil {
			return 0, err
		}
		if n := ret.u64(8); n > 0 {
			return int(min(n, 1<<20)), nil
		}
		await(outputStreamSubscribe(c.output))
	}
}

func (c *conn) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		room, err := c.room()
		if err != nil {
			return written, err
		}
		part, ret := p[written:min(len(p), written+room)], new(result)
		outputStreamWrite(c.output, unsafe.Pointer(&part[0]), uint32(len(part)), ret.at())
		if err := ret.streamFailed(4); err != nil {
			return written, err
		}
		written += len(part)
	}
	return written, nil
}

// closeWrite tells the peer that nothing more comes.
func (c *conn) closeWrite() error {
	ret := new(result)
	outputStreamFlush(c.output, ret.at())
	if err := ret.streamFailed(4); err != nil {
		return err
	}
	if _, err := c.room(); err != nil {
		return err
	}
	tcpShutdown(c.socket, 1, ret.at())
	return ret.failed(1)
}

func (c *conn) close() {
	inputStreamDrop(c.input)
	outputStreamDrop(c.output)
	tcpDrop(c.socket)
}

var _ io.ReadWriter = (*conn)(nil)
