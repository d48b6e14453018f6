"""A command in Python: what a script does with its standard library. The first argument chooses the part."""

import collections
import datetime
import decimal
import hashlib
import itertools
import json
import os
import random
import re
import sys
import zlib

from wit_world import exports
from wit_world.imports import environment

RECORDS = [
    {"name": "Ada", "born": 1815, "fields": ["mathematics", "computing"]},
    {"name": "Émilie", "born": 1706, "fields": ["physics"], "note": None},
    {"name": "Grace", "born": 1906, "fields": ["computing"], "rank": {"title": "rear admiral", "ships": 1.5}},
]

LOG = """\
2026-03-01T08:15:00 GET /index.html 200 5120
2026-03-01T08:15:02 GET /logo.png 404 -
2026-03-01T08:16:40 POST /login 302 17
broken line
2026-03-01T09:00:01 GET /index.html 200 5120
"""


def do_json():
    text = json.dumps(RECORDS, sort_keys=True, ensure_ascii=False)
    print(text)
    back = json.loads(text)
    print("round trip:", back == RECORDS)
    print(json.dumps(back[2], indent=2, sort_keys=True))
    try:
        json.loads('{"a": [1, 2,}')
    except json.JSONDecodeError as error:
        print("error:", error)


def do_re():
    line = re.compile(r"^(?P<time>\S+) (?P<method>[A-Z]+) (?P<path>/\S*) (?P<status>\d{3}) (?P<size>\d+|-)$")
    statuses = collections.Counter()
    size = 0
    for text in LOG.splitlines():
        match = line.match(text)
        if not match:
            print("no match:", text)
            continue
        statuses[match["status"]] += 1
        size += int(match["size"]) if match["size"] != "-" else 0
    print(dict(sorted(statuses.items())), size)
    print(re.sub(r"(\w+)@(\w+)\.com", r"\2 at \1", "write to ada@analytical.com or grace@navy.com"))
    print(re.findall(r"(?i)\b[aeiou]\w*", "An apple and Every other orange, under it"))
    print(re.split(r"\s*[,;]\s*", "one , two;three ;four"))
    print(bool(re.fullmatch(r"(a+)+b", "a" * 18 + "c")))


def do_hash():
    for name in ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b"):
        print(name, hashlib.new(name, b"wharf").hexdigest()[:32])
    data = bytes(range(256)) * 400
    print("sha256 of 102400 bytes", hashlib.sha256(data).hexdigest())
    print("crc32", hex(zlib.crc32(data)))
    packed = zlib.compress(data, 9)
    print("deflate", len(packed) < 2000, zlib.decompress(packed) == data)


def do_misc():
    random.seed(42)
    print([random.randint(0, 99) for _ in range(8)])
    print(decimal.Decimal(1) / decimal.Decimal(7))
    print(datetime.date(2024, 2, 29) + datetime.timedelta(days=366))
    print(sum(1 for _ in itertools.permutations(range(7))), 2**200 % 1_000_007)
    print(sorted({"pear", "fig", "apple"}, key=len), f"{3.14159:>10.2f}|{'mid':^9}|{255:#x}")


def do_args(args):
    print(args)
    for name, value in sorted(environment.get_environment()):
        print(f"{name}={value}")


def do_stdin():
    words = collections.Counter(re.findall(r"\w+", sys.stdin.read().lower()))
    for word, count in sorted(words.items(), key=lambda item: (-item[1], item[0])):
        print(count, word)


def do_files(folder):
    path = os.path.join(folder, "notes.json")
    with open(path, "w") as file:
        json.dump(RECORDS, file)
    with open(path) as file:
        print("records:", len(json.load(file)))
    os.mkdir(os.path.join(folder, "sub"))
    os.rename(path, os.path.join(folder, "sub", "moved.json"))
    for root, folders, files in os.walk(folder):
        print(os.path.relpath(root, folder), sorted(folders), sorted(files))
    print("missing:", os.path.exists(path))
    try:
        open("/etc/passwd")
    except OSError as error:
        print("outside:", type(error).__name__)


class Run(exports.Run):
    def run(self):
        args = environment.get_arguments()[1:]
        mode = args[0] if args else "all"
        if mode == "hello":
            print("Hello from a Python command!")
        elif mode == "args":
            do_args(args[1:])
        elif mode == "stdin":
            do_stdin()
        elif mode == "files":
            do_files(args[1])
        elif mode == "exit":
            sys.exit(int(args[1]))
        elif mode == "raise":
            raise ValueError("asked to raise")
        else:
            parts = {"json": do_json, "re": do_re, "hash": do_hash, "misc": do_misc}
            for name in [mode] if mode in parts else parts:
                print(f"-- {name}")
                parts[name]()
        sys.stdout.flush()
