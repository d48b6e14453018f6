"""Cases of what Python's bindings and its standard library make of WASI. The first argument chooses one; see ../src/lib.rs for the rules."""

import sys
import traceback

import checks
import files
import requests
import sockets
import system
from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import environment

CASES = files.CASES | system.CASES | sockets.CASES | requests.CASES


def unhandled():
    print("about to trap", flush=True)
    raise ValueError("asked to")


CASES["unhandled"] = unhandled


class Run(exports.Run):
    def run(self):
        name = environment.get_arguments()[1]
        if name == "--list":
            print("\n".join(CASES))
        elif name not in CASES:
            print(f"no such case: {name!r}")
            sys.stdout.flush()
            raise Err(None)
        else:
            try:
                CASES[name]()
            except checks.Failed as failure:
                print(failure, flush=True)
                raise Err(None) from None
            except Exception as error:
                if name in ("unhandled", "run-fails"):
                    raise
                traceback.print_exception(error, file=sys.stdout)
                sys.stdout.flush()
                raise Err(None) from None
        sys.stdout.flush()
