// A hub inside an app: below a scope with a segment of its own and a middleware, whatever the case of the path.

import assert from 'node:assert/strict';
import { after } from 'node:test';

import { TestServer } from './kit/server.mjs';
import { scenariosOn } from './kit/stage.mjs';

const server = await TestServer.start();
after(() => server.stop());

const scenario = scenariosOn(server);

for (const path of ['/nested/acme/v1.0/hub', '/nested/acme/V1.0/Hub']) {
  scenario(`calls and broadcasts at ${path}`, async (stage) => {
    const [ann, bob] = await stage.connectAll(2, `${path}?user=ann`);
    assert.equal(await ann.invoke('WhoAmI'), 'ann');
    await ann.invoke('SendOthers', 'hello');
    assert.equal(await bob.heard('Notify').next(), 'hello');
  });
}
