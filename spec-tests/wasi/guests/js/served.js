// What the runtime makes of requests that come in. The first segment of the path chooses the case.

import { bytes, pause, text } from './checks.js';

const same = (got, expected) =>
  JSON.stringify(got) === JSON.stringify(expected)
    ? new Response('')
    : new Response(`${JSON.stringify(got)} instead of ${JSON.stringify(expected)}`, { status: 500 });

const cases = {
  'js-request-head'(request) {
    const { pathname, search } = new URL(request.url);
    const got = [request.method, pathname, search, request.headers.get('X-One'), request.headers.get('x-two'), request.headers.has('x-none')];
    return same(got, ['DELETE', '/js-request-head/a%20b', '?c=d&e', '1', '2, 3', false]);
  },

  'js-request-text': async (request) => same(await request.text(), 'größe'),

  async 'js-request-stream'(request) {
    let all = '';
    const reader = request.body.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return same(all, 'abcde');
      all += text(value);
    }
  },

  'js-response-head': () => new Response('', { status: 418, headers: { 'x-one': '1', 'x-two': 'two' } }),

  'js-response-json': async (request) => Response.json({ got: await request.json() }),

  'js-response-stream'() {
    let left = 3;
    const body = new ReadableStream({
      async pull(controller) {
        await pause();
        if (left-- > 0) controller.enqueue(bytes(`part ${left};`));
        else controller.close();
      },
    });
    return new Response(body);
  },

  'js-response-large': () => new Response('x'.repeat(1 << 20)),

  'js-response-echo': (request) => new Response(request.body),

  'js-response-throw'() {
    throw new Error('asked to');
  },
};

export async function answer({ request }) {
  const name = new URL(request.url).pathname.split('/')[1];
  if (name === '--list') return new Response(Object.keys(cases).join('\n'));
  if (!Object.hasOwn(cases, name)) return new Response(`no such case: ${name}`, { status: 500 });
  return cases[name](request);
}
