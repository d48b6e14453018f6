"""Checks. One that fails raises, which ends the case."""

import os
import sys

from componentize_py_types import Err


class Failed(Exception):
    """What a check found, with the place where it stands."""

    def __init__(self, what: str):
        frame = sys._getframe(2)
        super().__init__(f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}: {what}")


def check(condition, what: str = "not true"):
    if not condition:
        raise Failed(what)


def equal(got, expected):
    if got != expected:
        raise Failed(f"{got!r}, expected {expected!r}")


def fails(call, *expected):
    """The error of a call, which has to be one of those: values, or classes where they have payloads."""
    try:
        got = call()
    except Err as error:
        value = error.value
        if not any(isinstance(value, e) if isinstance(e, type) else value == e for e in expected):
            raise Failed(f"failed with {value!r}, expected {expected!r}") from None
        return value
    raise Failed(f"gave {got!r}, expected {expected!r}")


def raises(call, *numbers: int):
    """A call of the standard library that has to fail with one of these numbers."""
    try:
        got = call()
    except OSError as error:
        if error.errno not in numbers:
            raise Failed(f"failed with {error!r}, expected {numbers!r}") from None
        return
    raise Failed(f"gave {got!r}, expected {numbers!r}")
