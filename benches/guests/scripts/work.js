// What the JavaScript engines run: objects, closures, arrays, strings, JSON, regular expressions. `work()` gives an
// integer below 2^31.
class Shape {
  constructor(name) { this.name = name; }
  area() { return 0; }
}
class Box extends Shape {
  constructor(w, h) { super('box'); this.w = w; this.h = h; }
  area() { return this.w * this.h; }
}
class Disc extends Shape {
  constructor(r) { super('disc'); this.r = r; }
  area() { return 3 * this.r * this.r; }
}

function random(seed) {
  return () => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return seed >>> 0;
  };
}

function shapes(next, count) {
  const list = [];
  for (let i = 0; i < count; i++) list.push(next() % 2 ? new Box(next() % 50, next() % 50) : new Disc(next() % 30));
  const areas = new Map();
  for (const shape of list) areas.set(shape.name, (areas.get(shape.name) ?? 0) + shape.area());
  return [...areas.values()].reduce((a, b) => a + b, 0);
}

function primes(limit) {
  const composite = new Uint8Array(limit + 1);
  let sum = 0;
  for (let i = 2; i <= limit; i++) {
    if (composite[i]) continue;
    sum += i;
    for (let k = i * i; k <= limit; k += i) composite[k] = 1;
  }
  return sum;
}

function queens(n, row = 0, columns = 0, left = 0, right = 0) {
  if (row === n) return 1;
  let found = 0;
  for (let c = 0; c < n; c++) {
    const bit = 1 << c;
    if (columns & bit || left & (1 << (row + c)) || right & (1 << (row - c + n))) continue;
    found += queens(n, row + 1, columns | bit, left | (1 << (row + c)), right | (1 << (row - c + n)));
  }
  return found;
}

function text(next, count) {
  const words = [];
  for (let i = 0; i < count; i++) words.push(`w${(next() % 89).toString(36)}-${next() % 7}`);
  const counts = {};
  for (const word of words.join(' ').split(/[ -]/)) counts[word] = (counts[word] || 0) + 1;
  const copy = JSON.parse(JSON.stringify({ counts, words: words.slice(0, 50) }));
  let hash = 0;
  for (const [word, n] of Object.entries(copy.counts).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))) {
    for (let i = 0; i < word.length; i++) hash = (hash * 31 + word.charCodeAt(i) + n) | 0;
  }
  const digits = copy.words.map((w) => w.replace(/[a-z]/g, (c) => c.toUpperCase())).join('').match(/\d+/g);
  return (hash ^ digits.length) >>> 1;
}

function matrix(n) {
  const make = (f) => Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, k) => f(i, k)));
  const a = make((i, k) => i + k / 2), b = make((i, k) => i - k);
  let trace = 0;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += a[i][j] * b[j][k];
      if (i === k) trace += sum;
    }
  }
  return Math.abs(Math.round(trace));
}

function work() {
  const next = random(42);
  return (shapes(next, 1500) + primes(12000) + queens(6) + text(next, 800) + matrix(24)) % 2147483647;
}
