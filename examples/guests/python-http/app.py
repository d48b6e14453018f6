"""An HTTP handler in Python: answers, reads bodies, and fetches what it is told to, several at a time."""

import asyncio
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import poll_loop
from componentize_py_types import Err, Ok
from poll_loop import PollLoop, Sink, Stream
from wit_world import exports
from wit_world.imports.types import (
    Fields,
    IncomingRequest,
    Method_Get,
    OutgoingRequest,
    OutgoingResponse,
    ResponseOutparam,
    Scheme_Http,
    Scheme_Https,
)


async def read(body) -> bytes:
    stream = Stream(body)
    parts = []
    while (part := await stream.next()) is not None:
        parts.append(part)
    return b"".join(parts)


async def fetch(url: str) -> dict:
    """What is at the address, or the error in place of it."""
    parts = urlsplit(url)
    request = OutgoingRequest(Fields.from_list([("user-agent", b"python-http")]))
    request.set_method(Method_Get())
    request.set_scheme(Scheme_Https() if parts.scheme == "https" else Scheme_Http())
    request.set_authority(parts.netloc)
    request.set_path_with_query(parts.path or "/")
    try:
        response = await poll_loop.send(request)
        body = await read(response.consume())
    except Err as error:
        return {"url": url, "error": type(error.value).__name__}
    return {"url": url, "status": response.status(), "body": body.decode()}


async def respond(out: ResponseOutparam, status: int, kind: str, body: bytes):
    response = OutgoingResponse(Fields.from_list([("content-type", kind.encode())]))
    response.set_status_code(status)
    sink = Sink(response.body())
    ResponseOutparam.set(out, Ok(response))
    await sink.send(body)
    sink.close()


async def handle(request: IncomingRequest, out: ResponseOutparam):
    target = urlsplit(request.path_with_query() or "/")
    query = parse_qs(target.query)
    match target.path:
        case "/":
            await respond(out, 200, "text/plain", b"hello from Python\n")
        case "/sha256":
            digest = hashlib.sha256(await read(request.consume())).hexdigest()
            await respond(out, 200, "text/plain", f"{digest}\n".encode())
        case "/sum":
            numbers = json.loads(await read(request.consume()))
            await respond(out, 200, "application/json", json.dumps({"sum": sum(numbers)}).encode())
        case "/fetch":
            found = await asyncio.gather(*map(fetch, query.get("url", [])))
            await respond(out, 200, "application/json", json.dumps(found).encode())
        case "/raise":
            raise ValueError("asked to raise")
        case _:
            await respond(out, 404, "text/plain", b"not found\n")


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request: IncomingRequest, response_out: ResponseOutparam):
        loop = PollLoop()
        asyncio.set_event_loop(loop)
        loop.run_until_complete(handle(request, response_out))
