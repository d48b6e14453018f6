// A server in the guest itself, over wasi:sockets: it sees what `fetch` sends. It never blocks, so that the event loop goes on.

import { instanceNetwork } from 'wasi:sockets/instance-network@0.2.12';
import { createTcpSocket } from 'wasi:sockets/tcp-create-socket@0.2.12';
import { Failed, bytes, pause, text } from './checks.js';

// componentize-js makes no class for a resource whose interface has no function in use, but its glue wants one.
instanceNetwork.constructor('globalThis.import_network_0_2_12$Network ??= class Network {};')();

const loopback = (port) => ({ tag: 'ipv4', val: { port, address: [127, 0, 0, 1] } });

// Repeats a call until it no longer would block.
async function wait(call) {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (error.payload !== 'would-block') throw error;
    }
    await pause();
  }
}

export class Peer {
  static async listen() {
    const peer = new Peer();
    peer.socket = createTcpSocket('ipv4');
    peer.socket.startBind(instanceNetwork(), loopback(0));
    await wait(() => peer.socket.finishBind());
    peer.socket.startListen();
    await wait(() => peer.socket.finishListen());
    peer.address = peer.socket.localAddress();
    peer.url = `http://127.0.0.1:${peer.address.val.port}`;
    return peer;
  }

  async accept() {
    const [socket, input, output] = await wait(() => this.socket.accept());
    return new Connection(socket, input, output);
  }

  close() {
    this.socket[Symbol.dispose]();
  }
}

export async function connect(address) {
  const socket = createTcpSocket('ipv4');
  socket.startConnect(instanceNetwork(), address);
  const [input, output] = await wait(() => socket.finishConnect());
  return new Connection(socket, input, output);
}

// Bytes as characters of one byte each, and such text as what it means.
const binary = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
const meant = (binary) => text(Uint8Array.from(binary, (character) => character.charCodeAt(0)));

export class Connection {
  // What has come, a character for each byte.
  seen = '';

  constructor(socket, input, output) {
    Object.assign(this, { socket, input, output });
  }

  // Waits for more. False at the end.
  async more() {
    for (;;) {
      let part;
      try {
        part = this.input.read(65536n);
      } catch (error) {
        if (error.payload?.tag === 'closed') return false;
        throw error;
      }
      if (part.length) {
        this.seen += binary(part);
        return true;
      }
      await pause();
    }
  }

  // Everything up to this, which has to come.
  async until(end) {
    while (!this.seen.includes(end)) {
      if (!(await this.more())) throw new Failed(`the connection ends after ${JSON.stringify(this.seen)}`);
    }
    const at = this.seen.indexOf(end) + end.length;
    const part = this.seen.slice(0, at);
    this.seen = this.seen.slice(at);
    return part;
  }

  async head() {
    const [line, ...fields] = (await this.until('\r\n\r\n')).trimEnd().split('\r\n');
    const headers = fields.map((field) => /^([^:]*): *(.*)$/.exec(field)).map(([, name, value]) => [name.toLowerCase(), value]);
    return { line, headers: Object.fromEntries(headers) };
  }

  // A body, however it is sent.
  async body(headers) {
    if ('content-length' in headers) {
      const length = Number(headers['content-length']);
      while (this.seen.length < length) {
        if (!(await this.more())) throw new Failed(`the body ends after ${JSON.stringify(this.seen)}`);
      }
      const body = this.seen.slice(0, length);
      this.seen = this.seen.slice(length);
      return meant(body);
    }
    let body = '';
    for (;;) {
      const size = parseInt(await this.until('\r\n'), 16);
      if (size) body += (await this.until('\r\n')).slice(0, size);
      else {
        await this.until('\r\n');
        return meant(body);
      }
    }
  }

  async write(text) {
    let rest = bytes(text);
    while (rest.length) {
      const room = Number(this.output.checkWrite());
      if (room) {
        this.output.write(rest.slice(0, room));
        rest = rest.slice(room);
      } else await pause();
    }
    this.output.flush();
    while (!this.output.checkWrite()) await pause();
  }

  answer(body, more = '') {
    return this.write(`HTTP/1.1 200 OK\r\n${more}content-length: ${bytes(body).length}\r\n\r\n${body}`);
  }

  close() {
    for (const resource of [this.input, this.output, this.socket]) resource[Symbol.dispose]();
  }
}
