// Hubs run under #[tokio::main] as under #[actix_web::main], which all other files use.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RawClient } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { scenariosOn } from './kit/stage.mjs';
import { SOON, until } from './kit/within.mjs';

const scenario = (name, body) =>
  scenariosOn(null)(name, async (stage) => {
    stage.server = await TestServer.start({ RUNTIME: 'tokio' });
    stage.t.after(() => stage.server.stop());
    await body(stage);
  });

scenario('calls, broadcasts, time and the end under tokio', async (stage) => {
  const [ann, bob] = await stage.connectAll(2, '/fast');
  assert.equal(await ann.invoke('Add', 2, 3), 5);
  await ann.invoke('SendOthers', 'hello');
  assert.equal(await bob.heard('Notify').next(), 'hello');
  // The supervisor lives: only its ticks make pings.
  const raw = await RawClient.connect(stage.t, `${stage.server.url}/fast`);
  await until(SOON, 'a ping', () => raw.pings > 0);
  const quiet = await RawClient.connect(stage.t, `${stage.server.url}/hub`);
  stage.server.terminate();
  assert.deepEqual(await quiet.messages.next(), { type: 7, allowReconnect: true });
  assert.deepEqual(await stage.server.ended(), { code: 0, signal: null });
});

test('a runtime is chosen by the environment', async () => {
  const server = await TestServer.start({ RUNTIME: 'tokio' });
  await server.logged(/Tokio runtime found/);
  await server.stop();
});
