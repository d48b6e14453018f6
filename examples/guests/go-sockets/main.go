// Sockets in Go, which has none of its own for WASI: the functions of wasi:sockets are imported one by one (imports.go) and called as the canonical
// ABI says (abi.go), and goroutines wait for them (tasks.go). It does what c-sockets does.
package main

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"time"
	"unsafe"
)

const clients = 5

func fail(what string, err error) {
	fmt.Fprintf(os.Stderr, "go-sockets: %s: %v\n", what, err)
	os.Exit(1)
}

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// A server and its clients, a goroutine each.
func loop() {
	accepted, left := 0, 0
	var answers [clients]string
	task(func() {
		listener, what, err := listen(loopback)
		if err != nil {
			fail(what, err)
		}
		at, err := listener.address()
		if err != nil {
			fail("local-address", err)
		}
		for i := range answers {
			task(func() { answers[i] = send(at, fmt.Sprintf("this is client %d", i)) })
		}
		for ; accepted < clients; accepted++ {
			peer, err := listener.accept()
			if err != nil {
				fail("accept", err)
			}
			left++
			task(func() {
				echo(peer)
				left--
			})
		}
		listener.close()
	})
	drive()
	for _, answer := range answers {
		fmt.Println(answer)
	}
	fmt.Printf("accepted %d, left %d\n", accepted, left)
}

// echo sends back what comes, in small pieces.
func echo(peer *conn) {
	if _, err := io.CopyBuffer(peer, struct{ io.Reader }{peer}, make([]byte, 8)); err != nil {
		fail("echo", err)
	}
	peer.close()
}

// send sends a text in two pieces, and gives the answer.
func send(to netip.AddrPort, text string) string {
	server, err := connect(to)
	if err != nil {
		fail("connect", err)
	}
	for _, part := range []string{text[:len(text)/2], text[len(text)/2:]} {
		if _, err := io.WriteString(server, part); err != nil {
			fail("send", err)
		}
	}
	return finishAsking(server)
}

// finishAsking says that nothing more comes and reads what the server has to say.
func finishAsking(server *conn) string {
	if err := server.closeWrite(); err != nil {
		fail("shutdown", err)
	}
	answer, err := io.ReadAll(server)
	if err != nil {
		fail("recv", err)
	}
	server.close()
	return string(answer)
}

// Asks a server that it finds by name.
func ask(host, port, question string) {
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		fail("port", err)
	}
	task(func() {
		found, err := lookup(host)
		if err != nil {
			fail(host, err)
		}
		fmt.Println(found)
		fmt.Println(send(netip.AddrPortFrom(found, uint16(number)), question))
	})
	drive()
}

// lookup gives the first address of a name.
func lookup(host string) (netip.Addr, error) {
	ret, name := new(result), []byte(host+"\x00")
	resolveAddresses(instanceNetwork(), unsafe.Pointer(&name[0]), uint32(len(host)), ret.at())
	if err := ret.failed(4); err != nil {
		return netip.Addr{}, err
	}
	stream := ret.u32(4)
	defer resolveDrop(stream)
	if err := finish(resolveSubscribe, stream, ret, 2, resolveNextAddress); err != nil {
		return netip.Addr{}, err
	}
	if ret.u8(2) == 0 {
		return netip.Addr{}, fmt.Errorf("no address")
	}
	payload := ret.bytes()[6:]
	return ipAddress(ret.u8(4), payload, payload), nil
}

// Sets options of a socket and asks for them.
func options() {
	socket, err := newTCP(loopback)
	if err != nil {
		fail("socket", err)
	}
	ret := new(result)
	option := func(what string, payload int, get func(uint32, unsafe.Pointer), asSet func() bool) {
		if err := ret.failed(1); err != nil {
			fail(what, err)
		}
		get(socket, ret.at())
		if err := ret.failed(payload); err != nil {
			fail(what, err)
		}
		if asSet() {
			fmt.Printf("%s: as set\n", what)
		} else {
			fmt.Printf("%s: different\n", what)
		}
	}
	tcpSetKeepAliveEnabled(socket, 1, ret.at())
	option("keep-alive", 1, tcpKeepAliveEnabled, func() bool { return ret.u8(1) == 1 })
	idle := uint64(30 * time.Second)
	tcpSetKeepAliveIdleTime(socket, idle, ret.at())
	option("idle time", 8, tcpKeepAliveIdleTime, func() bool { return ret.u64(8) == idle })
	tcpSetHopLimit(socket, 33, ret.at())
	option("hops", 1, tcpHopLimit, func() bool { return ret.u8(1) == 33 })
	tcpSetReceiveBufferSize(socket, 0x8000, ret.at())
	option("receive buffer", 8, tcpReceiveBufferSize, func() bool { return ret.u64(8) == 0x8000 })
	tcpDrop(socket)
}

// Datagrams to itself.
func datagrams() {
	task(func() {
		socket, err := bindUDP(loopback)
		if err != nil {
			fail("bind", err)
		}
		at, err := socket.address()
		if err != nil {
			fail("local-address", err)
		}
		if err := socket.send([]byte("to myself"), at); err != nil {
			fail("send", err)
		}
		for {
			data, from, there, err := socket.receive()
			if err != nil {
				fail("receive", err)
			}
			if there {
				fmt.Printf("%s, from the same port: %d\n", data, one(from == at))
				break
			}
			await(incomingSubscribe(socket.input))
		}
		_, _, there, err := socket.receive()
		fmt.Printf("nothing more: %d\n", one(err == nil && !there))
		socket.close()
	})
	drive()
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func main() {
	args := append(os.Args, "")
	switch {
	case args[1] == "loop":
		loop()
	case args[1] == "options":
		options()
	case args[1] == "datagrams":
		datagrams()
	case args[1] == "ask" && len(os.Args) == 5:
		ask(args[2], args[3], args[4])
	default:
		fmt.Fprintln(os.Stderr, "usage: go-sockets loop | options | datagrams | ask HOST PORT TEXT")
		os.Exit(2)
	}
}
