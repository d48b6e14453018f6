// Cases of what a JavaScript runtime and its bindings make of WASI. The first argument chooses one; see ../src/lib.rs for the rules.

import { getArguments } from 'wasi:cli/environment@0.2.12';
import { exit } from 'wasi:cli/exit@0.2.12';
import { cases as fetching } from './fetching.js';
import { cases as imports } from './imports.js';
import { answer } from './served.js';

const cases = { ...fetching, ...imports };

export const run = {
  async run() {
    const name = getArguments()[1];
    if (name === '--list') {
      for (const name of Object.keys(cases)) console.log(name);
      return;
    }
    try {
      if (!Object.hasOwn(cases, name)) throw new Error(`no such case: ${name}`);
      await cases[name]();
    } catch (error) {
      console.log(`${error}\n${error.stack}`);
      exit({ tag: 'err' });
    }
  },
};

addEventListener('fetch', (event) => event.respondWith(answer(event)));
