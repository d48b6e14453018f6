#!/usr/bin/env python3
"""Runs the guests' cases with some runtime: the tests do that with `wharf`, and this compares what the cases expect with a reference.

usage: check.py [--update] RUNTIME [GUEST[/CASE]...]       RUNTIME: the path of `wharf` or of `wasmtime`

--update writes the files named by `stdout_file` from what the runtime printed (but only those under an `expected` folder).
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import tomllib

GUESTS = pathlib.Path(__file__).resolve().parent.parent
TIME_LIMIT = 120  # seconds


class Failed(Exception):
    pass


def command(runtime, case, folders, args):
    """The command line of a case with these arguments, or None for what this runtime cannot be told."""
    wasmtime = "wasmtime" in os.path.basename(runtime)
    words = [runtime, "run"]
    for spec, host in zip(case.get("dirs", []), folders):
        _, guest, *mode = spec.split("::")
        if mode and wasmtime:
            return None
        words += ["--dir", "::".join([host, guest, *mode])]
    for name, value in case.get("env", {}).items():
        words += ["--env", f"{name}={value}"]
    flags = case.get("flags", [])
    if flags and wasmtime:
        return None
    words += flags
    if case.get("kind", "run") == "invoke":
        return [*words, "--invoke", case["invoke"], str(GUESTS / case["guest"])]
    return [*words, str(GUESTS / case["guest"]), *([] if wasmtime else ["--"]), *args]


def expect(what, wanted, got):
    if wanted != got:
        raise Failed(f"{what}\n  wanted {wanted!r}\n  got    {got!r}")


def run(runtime, case, scratch, update):
    folders = []
    for at, spec in enumerate(case.get("dirs", [])):
        fixture, folder = spec.split("::")[0], scratch / str(at)
        shutil.copytree(GUESTS / fixture, folder) if fixture else folder.mkdir()
        folders.append(str(folder))
    for args in case.get("before", []):
        before = command(runtime, case, folders, args)
        if before is not None and subprocess.run(before, stdin=subprocess.DEVNULL, timeout=TIME_LIMIT).returncode:
            raise Failed(f"{args}: failed")
    words = command(runtime, case, folders, case.get("args", []))
    if words is None:
        return "skipped"
    stdin = (GUESTS / case["stdin_file"]).read_bytes() if "stdin_file" in case else case.get("stdin", "").encode()
    try:
        done = subprocess.run(words, input=stdin, capture_output=True, timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        raise Failed(f"no end after {TIME_LIMIT} seconds") from None
    stdout, stderr = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    code = 128 - done.returncode if done.returncode < 0 else done.returncode
    if code != case.get("exit", 0):
        raise Failed(f"exit status {code} instead of {case.get('exit', 0)}\n{stdout}{stderr}")
    if "stdout_file" in case:
        path = GUESTS / case["stdout_file"]
        if update and path.parent.name == "expected":
            path.parent.mkdir(exist_ok=True)
            path.write_text(stdout)
        expect("stdout", path.read_text(), stdout)
    elif "stdout" in case:
        expect("stdout", case["stdout"], stdout)
    for text in case.get("stderr_contains", []):
        if text not in stderr:
            raise Failed(f"stderr does not contain {text!r}\n{stderr}")
    for file in case.get("files", []):
        expect(file["path"], file["text"], pathlib.Path(folders[file["dir"]], file["path"]).read_text())
    for file in case.get("absent", []):
        if pathlib.Path(folders[file["dir"]], file["path"]).exists():
            raise Failed(f"{file['path']} is still there")
    return "passed"


def main():
    args = sys.argv[1:]
    update = "--update" in args
    args = [arg for arg in args if arg != "--update"]
    if not args:
        sys.exit(__doc__)
    runtime, *wanted = args
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for table in sorted(GUESTS.glob("*/cases.toml")):
        for case in tomllib.loads(table.read_text()).get("case", []):
            name = f"{table.parent.name}/{case['name']}"
            if wanted and not any(name == want or name.startswith(f"{want}/") for want in wanted):
                continue
            if not (GUESTS / case["guest"]).exists():
                outcome, detail = "skipped" if case.get("large") else "failed", "not built"
            else:
                with tempfile.TemporaryDirectory() as scratch:
                    try:
                        outcome, detail = run(runtime, case, pathlib.Path(scratch), update), ""
                    except Failed as failure:
                        outcome, detail = "failed", str(failure)
            counts[outcome] += 1
            if outcome != "passed":
                print(f"{outcome}: {name} {detail}")
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    sys.exit(counts["failed"] > 0)


main()
