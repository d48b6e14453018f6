// Checks. One that fails throws, which ends the case.

export class Failed extends Error {}

const shown = (value) =>
  JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}n` : v instanceof Uint8Array ? [...v] : v)) ?? String(value);

export function check(condition, what) {
  if (!condition) throw new Failed(`not true: ${what}`);
}

export function equal(got, expected, what) {
  if (shown(got) !== shown(expected)) throw new Failed(`${what} is ${shown(got)}, expected ${shown(expected)}`);
}

// The payload of the error that a call must throw, which has to be one of those expected.
export function fails(call, ...expected) {
  let value;
  try {
    value = call();
  } catch (error) {
    const payload = error.payload;
    const name = payload?.tag ?? payload;
    if (!expected.includes(name)) throw new Failed(`${call} failed with ${shown(payload)} (${error}), expected ${expected.join(' or ')}`);
    return payload;
  }
  throw new Failed(`${call} gave ${shown(value)}, expected ${expected.join(' or ')}`);
}

// A promise that must be rejected.
export async function rejects(promise, what) {
  let value;
  try {
    value = await promise;
  } catch {
    return;
  }
  throw new Failed(`${what} gave ${shown(value)}, expected an error`);
}

export const bytes = (text) => new TextEncoder().encode(text);
export const text = (bytes) => new TextDecoder().decode(bytes);

// Lets what waits in the event loop go on.
export const pause = (milliseconds = 1) => new Promise((resolve) => setTimeout(resolve, milliseconds));
