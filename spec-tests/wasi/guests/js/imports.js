// What the language's bindings make of imported functions: errors, resources, numbers, lists.

import { getArguments, getEnvironment } from 'wasi:cli/environment@0.2.12';
import { exit, exitWithCode } from 'wasi:cli/exit@0.2.12';
import { now, resolution, subscribeDuration } from 'wasi:clocks/monotonic-clock@0.2.12';
import { now as wallNow } from 'wasi:clocks/wall-clock@0.2.12';
import { getDirectories } from 'wasi:filesystem/preopens@0.2.12';
import { poll } from 'wasi:io/poll@0.2.12';
import { getRandomBytes, getRandomU64 } from 'wasi:random/random@0.2.12';
import { bytes, check, equal, fails, pause, text } from './checks.js';
import { Peer, connect } from './peer.js';

function work() {
  const found = getDirectories().find(([, name]) => name === 'work');
  check(found, 'the directory work is granted');
  return found[0];
}

const create = (dir, path) => dir.openAt({}, path, { create: true }, { read: true, write: true });

export const cases = {
  arguments() {
    equal(getArguments().slice(1), ['arguments', 'größe 🦀', ''], 'arguments');
    equal(getEnvironment(), [['KEY', 'value']], 'the environment');
  },

  console() {
    console.log('to stdout: größe');
    console.error('to stderr');
  },

  errors() {
    const dir = work();
    fails(() => dir.openAt({}, 'missing', {}, { read: true }), 'no-entry');
    fails(() => dir.openAt({}, '../x', {}, { read: true }), 'not-permitted');
    dir.createDirectoryAt('d');
    fails(() => dir.createDirectoryAt('d'), 'exist');
    fails(() => create(dir, 'd'), 'is-directory');
    // A variant's error, with and without a payload.
    const file = create(dir, 'f');
    const stream = file.readViaStream(0n);
    fails(() => stream.blockingRead(1n), 'closed');
    const output = file.writeViaStream(0xffff_ffff_ffff_ffffn);
    const failure = fails(() => output.blockingWriteAndFlush(bytes('x')), 'last-operation-failed');
    check(failure.val.toDebugString().length > 0, 'an error has a text');
  },

  files() {
    const dir = work();
    const file = create(dir, 'größe');
    equal(file.write(bytes('hello world'), 0n), 11n, 'written');
    const [part, end] = file.read(5n, 6n);
    equal([text(part), typeof end], ['world', 'boolean'], 'read');
    const stat = file.stat();
    equal([stat.type, stat.size, stat.linkCount], ['regular-file', 11n, 1n], 'stat');
    const flags = file.getFlags();
    equal([flags.read, flags.write, flags.mutateDirectory], [true, true, false], 'flags');
    file.setTimes({ tag: 'timestamp', val: { seconds: 1000n, nanoseconds: 5 } }, { tag: 'no-change' });
    equal(file.stat().dataAccessTimestamp?.seconds, 1000n, 'a time');
    check(file.isSameObject(create(dir, 'größe')), 'one file is the same object');
    const entries = dir.readDirectory();
    equal(entries.readDirectoryEntry(), { type: 'regular-file', name: 'größe' }, 'an entry');
    equal(entries.readDirectoryEntry() ?? null, null, 'the end');
  },

  streams() {
    const dir = work();
    const [from, to] = [create(dir, 'from'), create(dir, 'to')];
    const output = from.writeViaStream(0n);
    output.blockingWriteAndFlush(bytes('hello world'));
    output.blockingWriteZeroesAndFlush(2n);
    const [source, target] = [from.readViaStream(0n), to.writeViaStream(0n)];
    let moved = 0n;
    while (moved < 13n) moved += target.blockingSplice(source, 4n);
    fails(() => target.blockingSplice(source, 4n), 'closed');
    target.blockingFlush();
    equal(text(to.read(100n, 0n)[0]), 'hello world\0\0', 'what was spliced');
    equal(from.readViaStream(6n).blockingSkip(3n), 3n, 'skipped');
  },

  resources() {
    const dir = work();
    create(dir, 'f').write(bytes('x'), 0n);
    // None is left behind, however many there are.
    for (let i = 0; i < 3000; i++) {
      const file = dir.openAt({}, 'f', {}, { read: true });
      const stream = file.readViaStream(0n);
      const ready = stream.subscribe();
      for (const resource of [ready, stream, file]) resource[Symbol.dispose]();
    }
    const timers = Array.from({ length: 500 }, () => subscribeDuration(1_000_000_000_000n));
    for (const timer of timers) timer[Symbol.dispose]();
  },

  clocks() {
    const start = now();
    equal(typeof start, 'bigint', 'the type of an instant');
    check(resolution() > 0n, 'the clock has a resolution');
    const timer = subscribeDuration(5_000_000n);
    timer.block();
    check(now() - start >= 5_000_000n && timer.ready(), 'a timer is not early');
    check(!subscribeDuration(0xffff_ffff_ffff_ffffn).ready(), 'the longest is never over');
    const { seconds, nanoseconds } = wallNow();
    check(Math.abs(Date.now() / 1000 - Number(seconds)) < 60 && nanoseconds < 1e9, 'the time of day');
  },

  poll() {
    const never = Array.from({ length: 50 }, () => subscribeDuration(1_000_000_000_000_000n));
    const soon = subscribeDuration(1_000_000n);
    equal([...poll([...never, soon])], [50], 'positions');
    equal([...poll([soon, ...never])], [0], 'positions');
  },

  random() {
    equal(getRandomBytes(0n).length, 0, 'no bytes');
    equal(getRandomBytes(1000n).length, 1000, 'bytes');
    equal(new Set(Array.from({ length: 20 }, () => getRandomU64())).size, 20, 'different numbers');
    const values = crypto.getRandomValues(new Uint8Array(1000));
    check(new Set(values).size > 100, 'different values');
    check(crypto.randomUUID() !== crypto.randomUUID(), 'different names');
  },

  async timers() {
    const order = [];
    const later = (milliseconds, name) => setTimeout(() => order.push(name), milliseconds);
    later(30, 'c');
    later(0, 'a');
    later(10, 'b');
    clearTimeout(later(5, 'never'));
    const start = Date.now();
    await pause(60);
    equal(order, ['a', 'b', 'c'], 'the order');
    check(Date.now() - start >= 59, 'a timer is not early');
    let ticks = 0;
    await new Promise((resolve) => {
      const interval = setInterval(() => {
        if (++ticks === 3) {
          clearInterval(interval);
          resolve();
        }
      }, 1);
    });
    equal(ticks, 3, 'ticks');
  },

  async sockets() {
    const peer = await Peer.listen();
    fails(() => peer.socket.accept(), 'would-block');
    fails(() => peer.socket.remoteAddress(), 'invalid-state');
    const client = await connect(peer.address);
    const server = await peer.accept();
    equal(server.socket.remoteAddress(), client.socket.localAddress(), 'addresses');
    await client.write('ping\n');
    equal(await server.until('\n'), 'ping\n', 'what arrives');
    client.socket.shutdown('send');
    equal(await server.more(), false, 'more after the end');
    await server.write('pong\n');
    equal(await client.until('\n'), 'pong\n', 'what comes back');
    client.close();
    server.close();
  },

  'exit-with-code': () => exitWithCode(42),

  'exit-failure': () => exit({ tag: 'err' }),
};
