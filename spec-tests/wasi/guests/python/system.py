"""Arguments, standard streams, clocks, random numbers, waiting, and how programs end."""

import os
import random as library_random
import sys
import time

from checks import check, equal
from componentize_py_types import Err, Ok
from wit_world.imports import environment, insecure, insecure_seed, monotonic_clock, random, stdin, stdout, wall_clock
from wit_world.imports import exit as ending
from wit_world.imports import terminal_stdin, terminal_stdout
from wit_world.imports.poll import poll

NEVER = 10**15


def arguments():
    equal(environment.get_arguments()[1:], ["arguments", "größe 🦀", ""])
    equal(environment.get_environment(), [("KEY", "value")])
    cwd = environment.initial_cwd()
    check(cwd is None or isinstance(cwd, str))


def stdio():
    check(terminal_stdin.get_terminal_stdin() is None and terminal_stdout.get_terminal_stdout() is None)
    check(not sys.stdin.isatty())
    equal(sys.stdin.readline(), "größe\n")
    equal(sys.stdin.read(), "last")
    equal(sys.stdin.read(), "")
    print("printed", "größe")
    print("to stderr", file=sys.stderr)
    sys.stdout.flush()
    with stdout.get_stdout() as stream:
        stream.blocking_write_and_flush(b"written\n")


def stdin_direct():
    with stdin.get_stdin() as stream:
        equal(stream.blocking_read(5), b"hello")
        with stream.subscribe() as ready:
            check(poll([ready]) == [0])
        equal(stream.blocking_skip(1), 1)
        equal(stream.blocking_read(100), b"world")


def clocks():
    start = monotonic_clock.now()
    check(monotonic_clock.resolution() > 0)
    with monotonic_clock.subscribe_duration(5_000_000) as timer:
        timer.block()
        check(timer.ready())
    check(monotonic_clock.now() - start >= 5_000_000)
    # The largest number of 64 bits.
    check(not monotonic_clock.subscribe_duration(2**64 - 1).ready())
    check(not monotonic_clock.subscribe_instant(2**64 - 1).ready())
    now = wall_clock.now()
    check(now.nanoseconds < 10**9 and wall_clock.resolution().nanoseconds < 10**9)
    # The library's clocks are the same.
    check(abs(time.time() - now.seconds) < 60)
    before = time.monotonic()
    time.sleep(0.01)
    check(time.monotonic() - before >= 0.01)


def waiting():
    never = [monotonic_clock.subscribe_duration(NEVER) for _ in range(500)]
    soon = monotonic_clock.subscribe_duration(1_000_000)
    equal(poll(never + [soon]), [500])
    equal(poll([soon] + never), [0])
    ready = poll([soon, never[0], soon])
    check(set(ready) <= {0, 2} and ready)


def random_numbers():
    for length in (0, 1, 1000, 70_000):
        equal(len(random.get_random_bytes(length)), length)
        equal(len(insecure.get_insecure_random_bytes(length)), length)
    numbers = {random.get_random_u64() for _ in range(20)}
    equal(len(numbers), 20)
    check(max(numbers) > 2**60)
    equal(len(insecure_seed.insecure_seed()), 2)
    # The library's come from there, not from what the component was made with.
    check(os.urandom(16) != os.urandom(16))
    check(library_random.SystemRandom().random() < 1)


def exit_with_code():
    ending.exit_with_code(42)


def exit_success():
    ending.exit(Ok(None))


def exit_failure():
    ending.exit(Err(None))


def run_fails():
    raise Err(None)


CASES = {
    "arguments": arguments,
    "stdio": stdio,
    "stdin": stdin_direct,
    "clocks": clocks,
    "poll": waiting,
    "random": random_numbers,
    "exit-with-code": exit_with_code,
    "exit-success": exit_success,
    "exit-failure": exit_failure,
    "run-fails": run_fails,
}
