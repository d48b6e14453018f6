// A library component in JavaScript: functions over strings, lists, records, variants, options and results.

export function greet(name) {
  return `Hello, ${name}, from JavaScript!`;
}

export function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

// An error of a `result` is thrown.
export function factorial(n) {
  if (n > 20) throw `${n}! does not fit into 64 bits`;
  let product = 1n;
  for (let factor = 2n; factor <= BigInt(n); factor++) product *= factor;
  return product;
}

export function checksum(bytes) {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return ((b << 16) | a) >>> 0;
}

export function fail(message) {
  throw new Error(message);
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

export const text = {
  reverse: (text) => [...text].reverse().join(''),

  words(text) {
    const counts = new Map();
    for (const [word] of text.toLowerCase().matchAll(/[^\s.,;:!?"()]+/g)) counts.set(word, (counts.get(word) ?? 0) + 1);
    return [...counts].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  },

  replace(text, pattern, by) {
    let expression;
    try {
      expression = new RegExp(pattern, 'g');
    } catch {
      throw `bad pattern: ${pattern}`;
    }
    return text.replace(expression, by);
  },

  pretty(json) {
    let value;
    try {
      value = JSON.parse(json);
    } catch {
      throw 'not JSON';
    }
    return JSON.stringify(sorted(value), null, 2);
  },
};

const orders = {
  name: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  price: (a, b) => a.price - b.price,
  count: (a, b) => a.count - b.count,
};

const cents = (amount) => Math.round(amount * 100) / 100;

export const shop = {
  sort: (items, by) => items.toSorted(orders[by]),

  find: (items, name) => items.find((item) => item.name === name),

  checkout(items, discount) {
    if (items.length === 0) throw 'nothing to buy';
    let free;
    if (discount.tag === 'bundle') {
      const [name, count] = discount.val;
      free = (item) => (item.name === name ? Math.floor(item.count / count) : 0);
    } else free = () => 0;
    const lines = [];
    let total = 0;
    for (const item of items) {
      const price = cents(item.price * (item.count - free(item)));
      lines.push(`${item.count} x ${item.name} = ${price.toFixed(2)}`);
      total += price;
    }
    if (discount.tag === 'percent') total *= 1 - discount.val / 100;
    if (discount.tag === 'fixed') total = Math.max(0, total - discount.val);
    return { lines, total: cents(total), cheapest: items.toSorted(orders.price)[0].name };
  },
};
