package main

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"unsafe"
)

// A socket for datagrams.
type packets struct{ socket, input, output uint32 }

func bindUDP(at netip.AddrPort) (*packets, error) {
	ret, f := new(result), flat(at)
	createUDPSocket(family(at), ret.at())
	if err := ret.failed(4); err != nil {
		return nil, err
	}
	socket := ret.u32(4)
	udpStartBind(socket, instanceNetwork(), f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], f[10], f[11], ret.at())
	if err := ret.failed(1); err != nil {
		return nil, err
	}
	if err := finish(udpSubscribe, socket, ret, 1, udpFinishBind); err != nil {
		return nil, err
	}
	udpStream(socket, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ret.at())
	return &packets{socket, ret.u32(4), ret.u32(8)}, ret.failed(4)
}

func (p *packets) address() (netip.AddrPort, error) {
	ret := new(result)
	udpLocalAddress(p.socket, ret.at())
	if err := ret.failed(4); err != nil {
		return netip.AddrPort{}, err
	}
	return address(ret.bytes()[4:]), nil
}

func (p *packets) send(data []byte, to netip.AddrPort) error {
	for {
		ret := new(result)
		outgoingCheckSend(p.output, ret.at())
		if err := ret.failed(8); err != nil {
			return err
		}
		if ret.u64(8) > 0 {
			break
		}
		await(udpSubscribe(p.socket))
	}
	// A list of one: the data, then the address, which is there.
	memory, ret := new(result), new(result)
	datagram := memory.bytes()
	binary.LittleEndian.PutUint32(datagram, uint32(uintptr(unsafe.Pointer(unsafe.SliceData(data)))))
	binary.LittleEndian.PutUint32(datagram[4:], uint32(len(data)))
	datagram[8] = 1
	copy(datagram[12:], stored(to))
	outgoingSend(p.output, memory.at(), 1, ret.at())
	runtime.KeepAlive(data)
	return ret.failed(8)
}

// receive gives one datagram, if there is one.
func (p *packets) receive() (data []byte, from netip.AddrPort, there bool, err error) {
	ret := new(result)
	incomingReceive(p.input, 1, ret.at())
	if err := ret.failed(4); err != nil {
		return nil, from, false, err
	}
	list := lift(ret.u32(4), ret.u32(8)*40)
	if len(list) == 0 {
		return nil, from, false, nil
	}
	data = lift(binary.LittleEndian.Uint32(list), binary.LittleEndian.Uint32(list[4:]))
	return data, address(list[8:]), true, nil
}

func (p *packets) close() {
	incomingDrop(p.input)
	outgoingDrop(p.output)
	udpDrop(p.socket)
}
