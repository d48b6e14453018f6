"""What serve.sh runs; it says how."""

import os
import pathlib
import re
import select
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
GUESTS = ROOT / "examples/guests"
HANDLERS = {
    "Rust": GUESTS / "http-hello/http-hello.wasm",
    "JavaScript": GUESTS / "build/js-http.wasm",
    "Python": GUESTS / "build/python-http.wasm",
}
ENGINES = ["Wharf", "Wasmtime"]
PATIENCE = 120  # seconds


def setting(name, default):
    return int(os.environ.get(name, default))


def request(path):
    return f"GET {path} HTTP/1.1\r\nhost: test\r\n\r\n".encode()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A running server; `first` is the time from its start to the end of its first response."""

    def __init__(self, engine, program, handler, *flags):
        self.address = ("127.0.0.1", free_port())
        listen = ["--addr", f"127.0.0.1:{self.address[1]}"]
        if engine == "Wharf":
            flags = [*flags, *os.environ.get("WHARF_FLAGS", "").split()]
        else:
            flags = ["-S", "cli", *os.environ.get("WASMTIME_FLAGS", "-C cache=n").split()]
        start = time.perf_counter()
        self.process = subprocess.Popen(
            [program, "serve", *listen, *flags, handler],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        while not self.answers():
            if self.process.poll() is not None or time.perf_counter() - start > PATIENCE:
                sys.exit(f"{engine} does not answer")
            time.sleep(0.0005)
        self.first = time.perf_counter() - start

    def answers(self):
        try:
            with socket.create_connection(self.address, timeout=PATIENCE) as stream:
                stream.sendall(request("/"))
                return stream.recv(4096).startswith(b"HTTP/1.1 200")
        except (ConnectionError, OSError):
            return False

    def memory(self, key):
        """Of /proc/PID/status, in MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{key}:\s*(\d+)", status)[1]) / 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def load(server, seconds, connections):
    """Requests per second, then p50 and p99 in milliseconds."""
    url = f"http://127.0.0.1:{server.address[1]}/"
    out = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s", url],
        capture_output=True, text=True, check=True,
    ).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(out)
    values = {name: re.search(pattern, out) for name, pattern in (
        ("rate", r"Requests/sec:\s*([\d.]+)"), ("p50", r"(?m)^ +50% +(\S+)$"), ("p99", r"(?m)^ +99% +(\S+)$"))}
    return float(values["rate"][1]), milliseconds(values["p50"][1]), milliseconds(values["p99"][1])


def compare(programs):
    rounds, seconds, connections = setting("ROUNDS", 3), setting("SECONDS_EACH", 10), setting("CONNECTIONS", 32)
    yield (f"Medians of {rounds} interleaved rounds of {seconds} s with {connections} connections and default settings; "
           "the load comes from the same machine. First: from the start of the process to its first response, nothing compiled before.\n")
    yield ("| Handler | | Requests/s | p50 ms | p99 ms | Peak MiB | First, ms |\n|---|---|---:|---:|---:|---:|---:|")
    for name, handler in HANDLERS.items():
        if not handler.exists():
            print(f"{handler} is not there: left out", file=sys.stderr)
            continue
        samples = {engine: [] for engine in ENGINES}
        for number in range(rounds):
            for engine in ENGINES if number % 2 == 0 else reversed(ENGINES):
                with Server(engine, programs[engine], handler) as server:
                    sample = (*load(server, seconds, connections), server.memory("VmHWM"), server.first * 1000)
                samples[engine].append(sample)
                print(name, engine, *(f"{value:.2f}" for value in sample), file=sys.stderr, flush=True)
        medians = {engine: [statistics.median(column) for column in zip(*rows)] for engine, rows in samples.items()}
        for engine in ENGINES:
            rate, p50, p99, peak, first = medians[engine]
            yield f"| {name} | {engine} | {rate:.0f} | {p50:.2f} | {p99:.2f} | {peak:.0f} | {first:.1f} |"
        wharf, wasmtime = (medians[engine] for engine in ENGINES)
        ratios = [wharf[0] / wasmtime[0], *(b / a for a, b in zip(wharf[1:], wasmtime[1:]))]
        yield f"| {name} | **ratio** | " + " | ".join(f"**{ratio:.2f}**" for ratio in ratios) + " |"
    yield "\nA ratio above 1 means that Wharf is better."


def answered(streams, seconds):
    """How many of the connections get a whole response with status 200."""
    poll = select.epoll()
    waiting = {stream.fileno(): stream for stream in streams}
    for number in waiting:
        poll.register(number, select.EPOLLIN)
    texts, good, end = {}, 0, time.perf_counter() + seconds
    while waiting and time.perf_counter() < end:
        for number, _ in poll.poll(1, 4096):
            try:
                part = waiting[number].recv(4096)
            except OSError:
                part = b""
            text = texts[number] = texts.get(number, b"") + part
            head, _, body = text.partition(b"\r\n\r\n")
            if not part or body.endswith(b"0\r\n\r\n") or b"content-length" in head.lower() and body:
                good += text.startswith(b"HTTP/1.1 200") and bool(part)
                poll.unregister(number)
                del waiting[number]
    return good


def ask(server, count, path):
    """So many connections, each with a request under way."""
    streams = []
    for _ in range(count):
        stream = socket.create_connection(server.address, timeout=PATIENCE)
        stream.sendall(request(path))
        streams.append(stream)
    return streams


def hold(program):
    idle, slow = setting("IDLE", 10000), setting("SLOW", 1000)
    with Server("Wharf", program, HANDLERS["Rust"]) as server:
        before = server.memory("VmRSS")
        streams = ask(server, idle, "/")
        good = answered(streams, PATIENCE)
        time.sleep(1)
        held, memory = server.descriptors(), server.memory("VmRSS")
        latencies = []
        for _ in range(200):
            start = time.perf_counter()
            assert server.answers()
            latencies.append((time.perf_counter() - start) * 1000)
        again = 0
        # Not all at once, which would be more than may wait.
        for start in range(0, idle, 500):
            for stream in streams[start : start + 500]:
                stream.sendall(request("/"))
            again += answered(streams[start : start + 500], PATIENCE)
        for stream in streams:
            stream.close()
    yield (f"{idle} connections, each with a request behind it and idle: {good} answered, {held} descriptors open, "
           f"{memory - before:.0f} MiB for them ({(memory - before) * 1024 / idle:.1f} KiB each); a request on a new connection meanwhile took "
           f"{statistics.median(latencies):.2f} ms (median of 200); then {again} answered one more.\n")
    with Server("Wharf", program, HANDLERS["Rust"]) as server:
        before = server.memory("VmRSS")
        start = time.perf_counter()
        streams = ask(server, slow, "/sleep?ms=5000")
        time.sleep(2)
        memory, latencies = server.memory("VmRSS"), []
        for _ in range(100):
            begin = time.perf_counter()
            assert server.answers()
            latencies.append((time.perf_counter() - begin) * 1000)
        good = answered(streams, PATIENCE)
        took = time.perf_counter() - start
    yield (f"{slow} requests at a time to a guest that waits for 5 s: {good} answered after {took:.1f} s, {memory - before:.0f} MiB while they wait "
           f"({(memory - before) * 1024 / slow:.0f} KiB each); another request meanwhile took {statistics.median(latencies):.2f} ms (median of 100).")


def main():
    programs = dict(zip(ENGINES, sys.argv[1:3]))
    parts = os.environ.get("PARTS", "compare hold").split()
    lines = []
    for part in parts:
        lines.extend(compare(programs) if part == "compare" else ["", *hold(programs["Wharf"])])
    text = "\n".join(lines)
    print(text)
    if "--write" in sys.argv[3:]:
        path = ROOT / "docs/benchmarks.md"
        marked = re.compile(r"(<!-- serve: begin.*?-->\n).*?(<!-- serve: end -->)", re.S)
        path.write_text(marked.sub(lambda match: match[1] + text + "\n" + match[2], path.read_text()))


main()
