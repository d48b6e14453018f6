
// The rest of the command: the argument says how often `work` is called (once if there is none).
import { getArguments } from 'wasi:cli/environment@0.2.12';

export const run = {
  run() {
    const rounds = Number(getArguments()[1] ?? 1);
    let result = 0;
    for (let i = 0; i < rounds; i++) result = work();
    console.log(result);
  },
};
