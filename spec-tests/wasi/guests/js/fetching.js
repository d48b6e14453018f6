// What the runtime's `fetch` makes of wasi:http. The peer is in the guest.

import { bytes, check, equal, pause, rejects } from './checks.js';
import { Peer } from './peer.js';

// Sends a request and gets its connection with its head.
async function exchange(path, init) {
  const peer = await Peer.listen();
  const response = fetch(peer.url + path, init);
  const connection = await peer.accept();
  return { peer, response, connection, head: await connection.head() };
}

async function answered(raw) {
  const { response, connection } = await exchange('/');
  await connection.write(raw);
  return { response: await response, connection };
}

export const cases = {
  async 'fetch-head'() {
    const { peer, response, connection, head } = await exchange('/a%20b?c=d', { method: 'DELETE', headers: { 'x-a': '1', 'X-B': 'two' } });
    equal(head.line, 'DELETE /a%20b?c=d HTTP/1.1', 'the line');
    equal([head.headers.host, head.headers['x-a'], head.headers['x-b']], [peer.url.slice(7), '1', 'two'], 'headers');
    await connection.answer('done', 'x-c: 3\r\nX-D: four\r\n');
    const got = await response;
    equal([got.status, got.ok, got.headers.get('X-C'), got.headers.get('x-d'), got.headers.get('x-e')], [200, true, '3', 'four', null], 'the head');
    equal(await got.text(), 'done', 'the body');
  },

  async 'fetch-body'() {
    for (const body of ['größe', bytes('größe'), bytes('größe').buffer]) {
      const { response, connection, head } = await exchange('/', { method: 'POST', body });
      equal(await connection.body(head.headers), 'größe', 'what arrives');
      await connection.answer('');
      equal(await (await response).text(), '', 'the answer');
    }
  },

  async 'fetch-stream-body'() {
    let left = 3;
    const body = new ReadableStream({
      async pull(controller) {
        await pause();
        if (left-- > 0) controller.enqueue(bytes(`part ${left};`));
        else controller.close();
      },
    });
    const { response, connection, head } = await exchange('/', { method: 'POST', body, duplex: 'half' });
    equal(await connection.body(head.headers), 'part 2;part 1;part 0;', 'what arrives');
    await connection.answer('ok');
    equal(await (await response).text(), 'ok', 'the answer');
  },

  async 'fetch-json'() {
    const { response, connection, head } = await exchange('/', { method: 'PUT', body: JSON.stringify({ a: [1, null] }) });
    equal(JSON.parse(await connection.body(head.headers)), { a: [1, null] }, 'what arrives');
    await connection.answer('{"b":"größe"}');
    equal(await (await response).json(), { b: 'größe' }, 'the answer');
  },

  async 'fetch-response-stream'() {
    const { response, connection } = await answered('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
    const reader = response.body.getReader();
    // Each part is there before the next is sent.
    for (const part of ['one', 'two', 'six']) {
      await connection.write(`3\r\n${part}\r\n`);
      const { value, done } = await reader.read();
      equal([done, value], [false, bytes(part)], 'a part');
    }
    await connection.write('0\r\n\r\n');
    equal((await reader.read()).done, true, 'the end');
  },

  async 'fetch-large'() {
    const { response, connection } = await exchange('/');
    const part = '0123456789abcdef'.repeat(1024);
    const sending = (async () => {
      await connection.write(`HTTP/1.1 200 OK\r\ncontent-length: ${part.length * 32}\r\n\r\n`);
      for (let i = 0; i < 32; i++) await connection.write(part);
    })();
    const body = new Uint8Array(await (await response).arrayBuffer());
    await sending;
    equal(body.length, part.length * 32, 'the length');
    check(body.every((byte, i) => byte === part.charCodeAt(i % 16)), 'every byte is in its place');
  },

  async 'fetch-status'() {
    // Whatever the status, it is an answer.
    for (const [status, ok] of [[201, true], [302, false], [404, false], [503, false]]) {
      const { response } = await answered(`HTTP/1.1 ${status} Some Reason\r\nlocation: /elsewhere\r\ncontent-length: 2\r\n\r\nhi`);
      equal([response.status, response.ok, await response.text()], [status, ok, 'hi'], 'the answer');
    }
    const { response } = await answered('HTTP/1.1 204 No Content\r\n\r\n');
    equal([response.status, await response.text()], [204, ''], 'an answer without a body');
  },

  async 'fetch-refused'() {
    const peer = await Peer.listen();
    peer.close();
    await rejects(fetch(peer.url), 'fetching where nobody listens');
  },

  async 'fetch-broken'() {
    const { response, connection } = await exchange('/');
    connection.close();
    await rejects(response, 'fetching from a connection that ends');
    const half = await answered('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
    half.connection.close();
    await rejects(half.response.text(), 'half a body');
  },

  async 'fetch-many'() {
    // All at the same time, answered from the last to the first.
    const peer = await Peer.listen();
    const responses = Array.from({ length: 5 }, (_, i) => fetch(`${peer.url}/${i}`));
    const connections = [];
    for (const _ of responses) {
      const connection = await peer.accept();
      connections.push([await connection.head(), connection]);
    }
    for (const [head, connection] of connections.reverse()) await connection.answer(head.line.split(' ')[1]);
    const bodies = await Promise.all(responses.map(async (response) => (await response).text()));
    equal(bodies, ['/0', '/1', '/2', '/3', '/4'], 'the answers');
  },
};
