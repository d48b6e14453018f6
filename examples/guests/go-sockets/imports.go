package main

import "unsafe"

// The functions of WASI 0.2 as the canonical ABI flattens them. A resource is a number; an address is a case and eleven numbers; what does not
// fit into one number is written to the memory that the last argument points to.

//go:wasmimport wasi:io/error@0.2.12 [method]error.to-debug-string
func errorToDebugString(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:io/error@0.2.12 [resource-drop]error
func errorDrop(self uint32)

//go:wasmimport wasi:io/poll@0.2.12 poll
func poll(pollables unsafe.Pointer, count uint32, ret unsafe.Pointer)

//go:wasmimport wasi:io/poll@0.2.12 [resource-drop]pollable
func pollableDrop(self uint32)

//go:wasmimport wasi:io/streams@0.2.12 [method]input-stream.read
func inputStreamRead(self uint32, length uint64, ret unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.12 [method]input-stream.subscribe
func inputStreamSubscribe(self uint32) uint32

//go:wasmimport wasi:io/streams@0.2.12 [resource-drop]input-stream
func inputStreamDrop(self uint32)

//go:wasmimport wasi:io/streams@0.2.12 [method]output-stream.check-write
func outputStreamCheckWrite(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.12 [method]output-stream.write
func outputStreamWrite(self uint32, bytes unsafe.Pointer, length uint32, ret unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.12 [method]output-stream.flush
func outputStreamFlush(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.12 [method]output-stream.subscribe
func outputStreamSubscribe(self uint32) uint32

//go:wasmimport wasi:io/streams@0.2.12 [resource-drop]output-stream
func outputStreamDrop(self uint32)

//go:wasmimport wasi:sockets/instance-network@0.2.12 instance-network
func instanceNetwork() uint32

//go:wasmimport wasi:sockets/ip-name-lookup@0.2.12 resolve-addresses
func resolveAddresses(network uint32, name unsafe.Pointer, length uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/ip-name-lookup@0.2.12 [method]resolve-address-stream.resolve-next-address
func resolveNextAddress(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/ip-name-lookup@0.2.12 [method]resolve-address-stream.subscribe
func resolveSubscribe(self uint32) uint32

//go:wasmimport wasi:sockets/ip-name-lookup@0.2.12 [resource-drop]resolve-address-stream
func resolveDrop(self uint32)

//go:wasmimport wasi:sockets/tcp-create-socket@0.2.12 create-tcp-socket
func createTCPSocket(family uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.start-bind
func tcpStartBind(self, network, a, b, c, d, e, f, g, h, i, j, k, l uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.finish-bind
func tcpFinishBind(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.start-connect
func tcpStartConnect(self, network, a, b, c, d, e, f, g, h, i, j, k, l uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.finish-connect
func tcpFinishConnect(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.start-listen
func tcpStartListen(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.finish-listen
func tcpFinishListen(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.accept
func tcpAccept(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.local-address
func tcpLocalAddress(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.shutdown
func tcpShutdown(self, kind uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.subscribe
func tcpSubscribe(self uint32) uint32

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.set-keep-alive-enabled
func tcpSetKeepAliveEnabled(self, value uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.keep-alive-enabled
func tcpKeepAliveEnabled(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.set-keep-alive-idle-time
func tcpSetKeepAliveIdleTime(self uint32, value uint64, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.keep-alive-idle-time
func tcpKeepAliveIdleTime(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.set-hop-limit
func tcpSetHopLimit(self, value uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.hop-limit
func tcpHopLimit(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.set-receive-buffer-size
func tcpSetReceiveBufferSize(self uint32, value uint64, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.receive-buffer-size
func tcpReceiveBufferSize(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [resource-drop]tcp-socket
func tcpDrop(self uint32)

//go:wasmimport wasi:sockets/udp-create-socket@0.2.12 create-udp-socket
func createUDPSocket(family uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/udp@0.2.12 [method]udp-socket.start-bind
func udpStartBind(self, network, a, b, c, d, e, f, g, h, i, j, k, l uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/udp@0.2.12 [method]udp-socket.finish-bind
func udpFinishBind(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/udp@0.2.12 [method]udp-socket.stream
func udpStream(self, some, a, b, c, d, e, f, g, h, i, j, k, l uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/udp@0.2.12 [method]udp-socket.local-address
func udpLocalAddress(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/udp@0.2.12 [method]udp-socket.subscribe
func udpSubscribe(self uint32) uint32

//go:wasmimport wasi:sockets/udp@0.2.12 [resource-drop]udp-socket
func udpDrop(self uint32)

//go:wasmimport wasi:sockets/udp@0.2.12 [method]incoming-datagram-stream.receive
func incomingReceive(self uint32, most uint64, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/udp@0.2.12 [method]incoming-datagram-stream.subscribe
func incomingSubscribe(self uint32) uint32

//go:wasmimport wasi:sockets/udp@0.2.12 [resource-drop]incoming-datagram-stream
func incomingDrop(self uint32)

//go:wasmimport wasi:sockets/udp@0.2.12 [method]outgoing-datagram-stream.check-send
func outgoingCheckSend(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/udp@0.2.12 [method]outgoing-datagram-stream.send
func outgoingSend(self uint32, datagrams unsafe.Pointer, count uint32, ret unsafe.Pointer)

//go:wasmimport wasi:sockets/udp@0.2.12 [resource-drop]outgoing-datagram-stream
func outgoingDrop(self uint32)
