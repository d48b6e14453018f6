"""Requests that are sent. The peer is in the guest."""

from checks import Failed, check, equal, fails
from componentize_py_types import Err, Ok
from sockets import Server, release
from wit_world.imports.outgoing_handler import handle
from wit_world.imports.streams import StreamError_Closed, StreamError_LastOperationFailed
from wit_world.imports.wasi_http_types import (
    ErrorCode_HttpRequestBodySize,
    Fields,
    HeaderError_Immutable,
    HeaderError_InvalidSyntax,
    IncomingBody,
    Method_Get,
    Method_Other,
    Method_Post,
    OutgoingBody,
    OutgoingRequest,
    RequestOptions,
    Scheme_Http,
    http_error_code,
)


def request(server, method, path, headers=()):
    made = OutgoingRequest(Fields.from_list(list(headers)))
    made.set_method(method)
    made.set_scheme(Scheme_Http())
    made.set_authority(server.authority)
    made.set_path_with_query(path)
    return made


def result(future):
    """The response or the error, which can be taken once."""
    with future.subscribe() as ready:
        ready.block()
    match future.get():
        case Ok(answer):
            return answer
        case other:
            raise Failed(f"{other!r} although the future is ready")


def whole(response):
    """A body to its end, and its trailers."""
    body = response.consume()
    data = b""
    with body.stream() as stream:
        while True:
            try:
                data += stream.blocking_read(65536)
            except Err as error:
                if error.value == StreamError_Closed():
                    break
                raise
    future = IncomingBody.finish(body)
    with future.subscribe() as ready:
        ready.block()
    # An option of a result of a result of an option.
    match future.get():
        case Ok(Ok(trailers)):
            return data, trailers
        case other:
            raise Failed(f"{other!r} instead of trailers")


def fields():
    made = Fields.from_list([("x-a", b"1"), ("x-b", b"2"), ("x-a", b"\xff")])
    equal(made.get("X-A"), [b"1", b"\xff"])
    fails(lambda: made.append("a b", b"1"), HeaderError_InvalidSyntax())
    fails(lambda: made.set("x-c", [b"a\nb"]), HeaderError_InvalidSyntax())
    made.delete("x-a")
    equal(made.entries(), [("x-b", b"2")])
    sent = OutgoingRequest(made)
    headers = sent.headers()
    fails(lambda: headers.append("x-c", b"3"), HeaderError_Immutable())
    copy = headers.clone()
    copy.append("x-c", b"3")
    equal((len(copy.entries()), len(headers.entries())), (2, 1))
    equal((sent.method(), sent.scheme(), sent.authority()), (Method_Get(), None, None))
    sent.set_method(Method_Other("PROPFIND"))
    equal(sent.method(), Method_Other("PROPFIND"))
    fails(lambda: sent.set_method(Method_Other("a b")), None)


def get():
    server = Server()
    sent = request(server, Method_Get(), "/a?b", [("x-a", b"1")])
    OutgoingBody.finish(sent.body(), None)
    future = handle(sent, RequestOptions())
    check(future.get() is None)
    server.accept()
    line, headers = server.head()
    equal((line, headers["x-a"], headers["host"]), ("GET /a?b HTTP/1.1", "1", server.authority))
    server.write(b"HTTP/1.1 201 Created\r\nx-b: 2\r\ncontent-length: 5\r\n\r\nhello")
    response = result(future).value
    equal(response.status(), 201)
    with response.headers() as headers:
        equal(headers.get("x-b"), [b"2"])
    equal(whole(response), (b"hello", None))
    equal(future.get(), Err(None))


def post():
    server = Server()
    sent = request(server, Method_Post(), "/", [("trailer", b"x-sum")])
    body = sent.body()
    future = handle(sent, None)
    with body.write() as stream:
        for part in (b"one, ", b"two, ", b"three"):
            stream.blocking_write_and_flush(part)
    OutgoingBody.finish(body, Fields.from_list([("x-sum", b"123")]))
    server.accept()
    _, headers = server.head()
    data, trailers = server.body(headers)
    equal((data, [line.lower() for line in trailers]), (b"one, two, three", [b"x-sum: 123"]))
    server.write(b"HTTP/1.1 200 OK\r\ntrailer: x-t\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-t: 1\r\n\r\n")
    data, trailers = whole(result(future).value)
    equal(data, b"ok")
    check(trailers is not None)
    equal(trailers.get("x-t"), [b"1"])


def errors():
    # A payload that is an option of a number.
    short = OutgoingRequest(Fields.from_list([("content-length", b"5")]))
    body = short.body()
    fails(lambda: OutgoingBody.finish(body, None), ErrorCode_HttpRequestBodySize)
    server = Server()
    sent = request(server, Method_Get(), "/")
    OutgoingBody.finish(sent.body(), None)
    future = handle(sent, None)
    server.accept()
    server.head()
    server.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
    response = result(future).value
    server.close()
    body = response.consume()
    with body.stream() as stream:
        data = stream.blocking_read(4)
        while len(data) < 4:
            data += stream.blocking_read(4)
        equal(data, b"half")
        error = fails(lambda: stream.blocking_read(1), StreamError_LastOperationFailed).value
        check(error.to_debug_string())
        code = http_error_code(error)
        check(code is None or type(code).__name__.startswith("ErrorCode_"))
    release(body)


CASES = {"http-fields": fields, "http-get": get, "http-post": post, "http-errors": errors}
