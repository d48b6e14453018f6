"""A command that fetches what is at some addresses, all at the same time, and prints it in the order of its arguments.

usage: python-http-client URL... | python-http-client --post TEXT URL"""

import asyncio
import sys
from urllib.parse import urlsplit

import poll_loop
from componentize_py_types import Err
from poll_loop import PollLoop, Sink, Stream
from wit_world import exports
from wit_world.imports import environment
from wit_world.imports.types import Fields, Method_Get, Method_Post, OutgoingRequest, Scheme_Http, Scheme_Https


async def read(body) -> bytes:
    stream = Stream(body)
    parts = []
    while (part := await stream.next()) is not None:
        parts.append(part)
    return b"".join(parts)


async def fetch(url: str, text: str | None = None) -> str:
    """The status and what is at the address, or the error in place of them."""
    parts = urlsplit(url)
    data = None if text is None else text.encode()
    headers = [("user-agent", b"python-http-client")]
    if data is not None:
        headers.append(("content-length", str(len(data)).encode()))
    request = OutgoingRequest(Fields.from_list(headers))
    request.set_method(Method_Get() if data is None else Method_Post())
    request.set_scheme(Scheme_Https() if parts.scheme == "https" else Scheme_Http())
    request.set_authority(parts.netloc)
    request.set_path_with_query((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    sink = None if data is None else Sink(request.body())
    try:
        answer = asyncio.ensure_future(poll_loop.send(request))
        if sink is not None:
            await sink.send(data)
            sink.close()
        response = await answer
        body = await read(response.consume())
    except Err as error:
        return f"error: {type(error.value).__name__}"
    return f"{response.status()} {body.decode().rstrip()}"


async def main(args: list[str]) -> bool:
    if args[:1] == ["--post"] and len(args) == 3:
        answers = [await fetch(args[2], args[1])]
    else:
        answers = await asyncio.gather(*map(fetch, args))
    for answer in answers:
        print(answer)
    sys.stdout.flush()
    return bool(answers) and not any(answer.startswith("error") for answer in answers)


class Run(exports.Run):
    def run(self):
        loop = PollLoop()
        asyncio.set_event_loop(loop)
        if not loop.run_until_complete(main(environment.get_arguments()[1:])):
            sys.exit(1)
