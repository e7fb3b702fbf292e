// SIGTERM: clients are told that they may come back, and the server ends by itself.

import assert from 'node:assert/strict';

import { RawClient } from '../kit/raw.mjs';
import { TestServer } from '../kit/server.mjs';
import { scenariosOn } from '../kit/stage.mjs';
import { SOON, within } from '../kit/within.mjs';

/** Each scenario ends a server, so each has its own. */
const scenario = (name, body) =>
  scenariosOn(null)(name, async (stage) => {
    stage.server = await TestServer.start();
    stage.t.after(() => stage.server.stop());
    await body(stage);
  });

scenario('a server that ends sends its clients away to come back', async (stage) => {
  const client = await stage.connect('/hub', { tune: (builder) => builder.withAutomaticReconnect([60_000]) });
  const raw = await RawClient.connect(stage.t, `${stage.server.url}/hub`);
  const quiet = await RawClient.open(stage.t, `${stage.server.url}/hub`);
  const leaving = new Promise((resolve) => client.connection.onreconnecting(resolve));

  stage.server.terminate();
  await within(SOON, leaving, 'the client to wait for a server');
  assert.deepEqual(await raw.messages.next(), { type: 7, allowReconnect: true });
  assert.equal(await raw.close(), 1000);
  await quiet.close();
  assert.deepEqual(await stage.server.ended(), { code: 0, signal: null });
});

scenario('a server that ends does not wait for a call that never returns', async (stage) => {
  const client = await stage.connect();
  const asked = new Promise((resolve) => {
    client.connection.on('Forever', () => {
      resolve();
      return new Promise(() => {});
    });
  });
  const call = client.refusal('Ask', client.id, 'Forever', null);
  await within(SOON, asked, 'the call to run');
  stage.server.terminate();
  await call;
  assert.deepEqual(await stage.server.ended(), { code: 0, signal: null });
});
