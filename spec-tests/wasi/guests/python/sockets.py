"""Sockets, and a server that other cases have as their peer."""

from checks import Failed, check, equal, fails
from componentize_py_types import Err
from wit_world.imports.instance_network import instance_network
from wit_world.imports.ip_name_lookup import resolve_addresses
from wit_world.imports.network import (
    ErrorCode as E,
    IpAddress_Ipv4,
    IpAddress_Ipv6,
    IpAddressFamily as Family,
    IpSocketAddress_Ipv4,
    Ipv4SocketAddress,
)
from wit_world.imports.streams import StreamError_Closed
from wit_world.imports.tcp import ShutdownType
from wit_world.imports.tcp_create_socket import create_tcp_socket
from wit_world.imports.udp import OutgoingDatagram
from wit_world.imports.udp_create_socket import create_udp_socket


def loopback(port):
    return IpSocketAddress_Ipv4(Ipv4SocketAddress(port, (127, 0, 0, 1)))


def wait(socket, call):
    """Repeats a call until it no longer would block."""
    while True:
        try:
            return call()
        except Err as error:
            if error.value != E.WOULD_BLOCK:
                raise
        with socket.subscribe() as ready:
            ready.block()


def bound(socket):
    socket.start_bind(instance_network(), loopback(0))
    wait(socket, socket.finish_bind)
    return socket


def listener():
    socket = bound(create_tcp_socket(Family.IPV4))
    socket.start_listen()
    wait(socket, socket.finish_listen)
    return socket


def connect(address):
    """Streams come first, so that they are released before their socket."""
    socket = create_tcp_socket(Family.IPV4)
    socket.start_connect(instance_network(), address)
    input, output = wait(socket, socket.finish_connect)
    return input, output, socket


def release(*resources):
    for resource in resources:
        resource.__exit__(None, None, None)


class Server:
    """A server for one connection."""

    def __init__(self):
        self.socket = listener()
        self.port = self.socket.local_address().value.port
        self.authority = f"127.0.0.1:{self.port}"
        self.seen = b""

    def accept(self):
        self.connection, self.input, self.output = wait(self.socket, self.socket.accept)

    def more(self):
        """Waits for more. False at the end."""
        try:
            self.seen += self.input.blocking_read(65536)
        except Err:
            return False
        return True

    def until(self, end: bytes) -> bytes:
        while end not in self.seen:
            if not self.more():
                raise Failed(f"the connection ends after {self.seen!r}")
        part, _, self.seen = self.seen.partition(end)
        return part + end

    def head(self) -> tuple[str, dict[str, str]]:
        line, *fields = self.until(b"\r\n\r\n").decode().strip().split("\r\n")
        pairs = (field.partition(":") for field in fields)
        return line, {name.lower(): value.strip() for name, _, value in pairs}

    def body(self, headers) -> tuple[bytes, list[bytes]]:
        """A body, however it is sent, and its trailers."""
        if (length := headers.get("content-length")) is not None:
            while len(self.seen) < int(length):
                if not self.more():
                    raise Failed(f"the body ends after {self.seen!r}")
            body, self.seen = self.seen[: int(length)], self.seen[int(length) :]
            return body, []
        body, trailers = b"", []
        while size := int(self.until(b"\r\n"), 16):
            while len(self.seen) < size + 2:
                if not self.more():
                    raise Failed(f"the body ends after {self.seen!r}")
            body, self.seen = body + self.seen[:size], self.seen[size + 2 :]
        while (line := self.until(b"\r\n").strip()) != b"":
            trailers.append(line)
        return body, trailers

    def write(self, data: bytes):
        for at in range(0, len(data), 4096):
            self.output.blocking_write_and_flush(data[at : at + 4096])

    def close(self):
        release(self.input, self.output, self.connection)


def tcp():
    server = listener()
    fails(server.accept, E.WOULD_BLOCK)
    fails(server.remote_address, E.INVALID_STATE)
    fails(server.start_listen, E.INVALID_STATE)
    client_in, client_out, client = connect(server.local_address())
    accepted, server_in, server_out = wait(server, server.accept)
    equal(accepted.remote_address(), client.local_address())
    equal(accepted.address_family(), Family.IPV4)
    client_out.blocking_write_and_flush(b"ping")
    equal(server_in.blocking_read(100), b"ping")
    client.shutdown(ShutdownType.SEND)
    fails(lambda: server_in.blocking_read(1), StreamError_Closed())
    fails(client_out.check_write, StreamError_Closed())
    server_out.blocking_write_and_flush(b"pong")
    equal(client_in.blocking_read(100), b"pong")
    release(client_in, client_out, client, server_in, server_out, accepted)
    address = server.local_address()
    release(server)
    fails(lambda: connect(address), E.CONNECTION_REFUSED)


def options():
    socket = create_tcp_socket(Family.IPV4)
    socket.set_keep_alive_idle_time(42 * 10**9)
    equal(socket.keep_alive_idle_time(), 42 * 10**9)
    socket.set_hop_limit(42)
    equal(socket.hop_limit(), 42)
    fails(lambda: socket.set_hop_limit(0), E.INVALID_ARGUMENT)
    socket.set_receive_buffer_size(2**64 - 1)
    check(socket.receive_buffer_size() > 0)


def udp():
    one, two = bound(create_udp_socket(Family.IPV4)), bound(create_udp_socket(Family.IPV4))
    to_one, to_two = one.local_address(), two.local_address()
    (one_in, one_out), (two_in, two_out) = one.stream(None), two.stream(to_one)
    equal(one_in.receive(5), [])
    check(one_out.check_send() >= 3)
    equal(one_out.send([OutgoingDatagram(data, to_two) for data in (b"first", b"", b"third")]), 3)
    got = []
    while len(got) < 3:
        got += two_in.receive(10)
        if not got:
            two_in.subscribe().block()
    equal([(datagram.data, datagram.remote_address) for datagram in got], [(b"first", to_one), (b"", to_one), (b"third", to_one)])
    check(two_out.check_send() >= 1)
    # An address that is absent, and none where there has to be one.
    equal(two_out.send([OutgoingDatagram(b"reply", None)]), 1)
    one_in.subscribe().block()
    equal(one_in.receive(1)[0].data, b"reply")
    check(one_out.check_send() >= 1)
    fails(lambda: one_out.send([OutgoingDatagram(b"x", None)]), E.INVALID_ARGUMENT)
    release(one_in, one_out, two_in, two_out)


def lookup():
    network = instance_network()
    found = []
    with resolve_addresses(network, "localhost") as stream:
        while (address := wait(stream, stream.resolve_next_address)) is not None:
            found.append(address)
    check(found)
    for address in found:
        check(address == IpAddress_Ipv6((0,) * 7 + (1,)) or isinstance(address, IpAddress_Ipv4) and address.value[0] == 127)
    fails(lambda: resolve_addresses(network, "a b"), E.INVALID_ARGUMENT)


CASES = {"tcp": tcp, "tcp-options": options, "udp": udp, "lookup": lookup}
