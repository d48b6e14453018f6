// An HTTP handler in JavaScript, written as for a browser's service worker.

const routes = {
  '/': () => new Response('hello from JavaScript\n'),

  async '/sum'(request) {
    const numbers = await request.json();
    return Response.json({ sum: numbers.reduce((total, number) => total + number, 0) });
  },

  async '/upper'(request) {
    return new Response((await request.text()).toUpperCase());
  },

  '/headers': (request) => Response.json(Object.fromEntries(request.headers)),

  async '/fetch'(request) {
    const urls = new URL(request.url).searchParams.getAll('url');
    const found = await Promise.all(urls.map(async (url) => {
      try {
        const response = await fetch(url);
        return { url, status: response.status, body: await response.text() };
      } catch {
        return { url, error: true };
      }
    }));
    return Response.json(found);
  },

  '/throw': () => {
    throw new Error('asked to throw');
  },
};

async function answer(request) {
  const route = routes[new URL(request.url).pathname];
  return route ? route(request) : new Response('not found\n', { status: 404 });
}

addEventListener('fetch', (event) => event.respondWith(answer(event.request)));
