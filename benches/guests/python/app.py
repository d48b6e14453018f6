"""Python that works for a while: a command whose argument says how often (1 if there is none), and a function."""

import hashlib
import json
import re

import wit_world
from wit_world import exports
from wit_world.imports import environment


class Node:
    __slots__ = ("key", "left", "right")

    def __init__(self, key):
        self.key, self.left, self.right = key, None, None

    def insert(self, key):
        at = self
        while True:
            side = "left" if key < at.key else "right"
            below = getattr(at, side)
            if below is None:
                setattr(at, side, Node(key))
                return
            at = below

    def __iter__(self):
        if self.left:
            yield from self.left
        yield self.key
        if self.right:
            yield from self.right


def numbers(count, seed):
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        yield seed >> 8


def tree():
    root = Node(1 << 22)
    for number in numbers(2000, 7):
        root.insert(number)
    return sum(i * key for i, key in enumerate(root)) % 1_000_003


def queens(n, row=0, columns=frozenset(), left=frozenset(), right=frozenset()):
    if row == n:
        return 1
    return sum(
        queens(n, row + 1, columns | {c}, left | {row + c}, right | {row - c})
        for c in range(n)
        if c not in columns and row + c not in left and row - c not in right
    )


def text():
    words = [f"w{number % 97}-{number % 7}" for number in numbers(3000, 11)]
    counts = {}
    for word in re.findall(r"[a-z]\d+", " ".join(words)):
        counts[word] = counts.get(word, 0) + 1
    copy = json.loads(json.dumps({"counts": counts, "words": words}))
    ordered = sorted(copy["counts"].items(), key=lambda item: (-item[1], item[0]))
    return hashlib.sha256(repr(ordered).encode()).hexdigest()[:8]


def spectral(n):
    u = [1.0] * n
    for _ in range(2):
        u = [sum(v / ((i + k) * (i + k + 1) // 2 + i + 1) for k, v in enumerate(u)) for i in range(n)]
    return round(sum(u), 9)


def work():
    return tree(), queens(6), text(), spectral(60)


class Run(exports.Run):
    def run(self):
        args = environment.get_arguments()[1:]
        for _ in range(int(args[0]) if args else 1):
            result = work()
        print(*result, flush=True)


class WitWorld(wit_world.WitWorld):
    def repeat(self, rounds):
        checksum = 0
        for _ in range(rounds):
            total, boards, digest, norm = work()
            checksum = total + boards + int(digest, 16) + round(norm * 1e9)
        return checksum
