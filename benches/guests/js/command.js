
// The rest: a command, whose argument says how often `work` is called (once if there is none), and a function that is told.
import { getArguments } from 'wasi:cli/environment@0.2.12';

function rounds(count) {
  let result = 0;
  for (let i = 0; i < count; i++) result = work();
  return result;
}

export const run = {
  run() {
    console.log(rounds(Number(getArguments()[1] ?? 1)));
  },
};

export function repeat(count) {
  return BigInt(rounds(count));
}
