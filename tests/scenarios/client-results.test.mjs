// The server asks one client and waits for its answer.

import assert from 'node:assert/strict';
import { after } from 'node:test';

import { TestServer } from '../kit/server.mjs';
import { scenariosOn } from '../kit/stage.mjs';
import { SOON, within } from '../kit/within.mjs';

const server = await TestServer.start();
after(() => server.stop());
const scenario = scenariosOn(server);

/** How the error that ended a question reaches whoever had it asked. */
const told = (text) => `An unexpected error occurred invoking 'Ask' on the server. HubException: ${text}`;

scenario('a client answers with a value, at once or later', async (stage) => {
  const [asker, asked] = await stage.connectAll(2);
  asked.connection.on('Shout', (text) => `${text}!`);
  asked.connection.on('Later', async (text) => `${text} later`);
  assert.equal(await asker.invoke('Ask', asked.id, 'Shout', 'hey'), 'hey!');
  assert.equal(await asker.invoke('Ask', asked.id, 'Later', 'see you'), 'see you later');
});

scenario('many questions to one client find their answers', async (stage) => {
  const askers = await stage.connectAll(5);
  const asked = await stage.connect();
  asked.connection.on('Shout', (text) => `${text}!`);
  const answers = await Promise.all(askers.map((asker) => asker.invoke('Ask', asked.id, 'Shout', asker.id)));
  assert.deepEqual(answers, askers.map((asker) => `${asker.id}!`));
});

scenario('a client may be asked while its own call waits for the answer', async (stage) => {
  const client = await stage.connect();
  client.connection.on('Shout', (text) => `${text}!`);
  assert.equal(await client.invoke('Ask', client.id, 'Shout', 'me'), 'me!');
});

scenario('a client that throws tells why', async (stage) => {
  const [asker, asked] = await stage.connectAll(2);
  asked.connection.on('Shout', () => {
    throw new Error('lost my voice');
  });
  assert.equal(await asker.refusal('Ask', asked.id, 'Shout', 'hey'), told('Error: lost my voice'));
  assert.equal(await asked.invoke('Echo', 'alive'), 'alive');
});

scenario('a client without an answer says so', async (stage) => {
  const [asker, asked] = await stage.connectAll(2);
  asked.connection.on('Mute', () => {});
  for (const method of ['Mute', 'NobodyListens']) {
    assert.equal(await asker.refusal('Ask', asked.id, method, null), told("Client didn't provide a result."));
  }
});

scenario('an answer of the wrong type is an error of the call and ends nothing', async (stage) => {
  const [asker, asked] = await stage.connectAll(2);
  asked.connection.on('Shout', () => ({ not: 'a text' }));
  assert.match(await asker.refusal('Ask', asked.id, 'Shout', 'hey'), /^An unexpected error occurred invoking 'Ask'/);
  for (const client of [asker, asked]) assert.equal(await client.invoke('Echo', 'alive'), 'alive');
});

scenario('a connection that does not exist cannot be asked', async (stage) => {
  const asker = await stage.connect();
  assert.equal(await asker.refusal('Ask', 'nobody', 'Shout', 'hey'), told("Connection 'nobody' does not exist."));
});

scenario('a client that goes away leaves no question open', async (stage) => {
  const proxy = await stage.proxy();
  const asker = await stage.connect();
  const asked = await stage.connect('/hub', { at: proxy.url });
  const question = new Promise((resolve) => {
    asked.connection.on('Shout', () => {
      resolve();
      return new Promise(() => {});
    });
  });
  const refusal = asker.refusal('Ask', asked.id, 'Shout', 'hey');
  await within(SOON, question, 'the question');
  proxy.cut();
  assert.match(await refusal, /disconnected/);
});
