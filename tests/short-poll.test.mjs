// Short polling as it is on the wire: requests that wait for nothing.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { END, HANDSHAKE, invocation } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { until } from './kit/within.mjs';

const server = await TestServer.start();
after(() => server.stop());

/** A negotiated connection that is polled by hand. */
async function open() {
  const answer = JSON.parse(await server.fetch('/hub/negotiate?negotiateVersion=1', { method: 'POST' }));
  const url = `${server.url}/hub?id=${answer.connectionToken}`;
  const request = async (init, query = '&transport=shortPolling') => {
    const response = await fetch(url + query, init);
    return [response.status, await response.text()];
  };
  assert.deepEqual(await request(), [200, '']);
  return { id: answer.connectionId, request };
}

/** Polls until something has come. */
const something = (request) =>
  until(10_000, 'an answer with something in it', async () => {
    const [status, body] = await request();
    assert.equal(status, 200);
    return body;
  });

test('a poll is answered at once, with or without something', async () => {
  const { request } = await open();
  assert.deepEqual(await request(), [200, '']);
  assert.deepEqual(await request({ method: 'POST', body: HANDSHAKE }), [200, '']);
  assert.equal(await something(request), `{}${END}`);
  assert.deepEqual(await request(), [200, '']);
});

test('it is no long polling', async () => {
  const { request } = await open();
  assert.deepEqual(await request({}, ''), [400, 'Cannot change transports mid-connection']);
  assert.deepEqual(await request({}, '&TRANSPORT=SHORTPOLLING'), [200, '']);
});

test('a DELETE ends it, and a poll after the end is told', async () => {
  const deleted = await open();
  assert.deepEqual(await deleted.request({ method: 'DELETE' }), [202, '']);
  const { id, request } = await open();
  await request({ method: 'POST', body: HANDSHAKE + invocation('AbortMe', []) });
  assert.match(await something(request), /\{\}/);
  await until(10_000, 'the end to be told', async () => (await request())[0] === 204);
  assert.equal(await server.farewell(id), 'kicked');
});

test('a client that polls no more is lost', async () => {
  const { id, request } = await open();
  await request({ method: 'POST', body: HANDSHAKE });
  await something(request);
  assert.equal(await server.farewell(id), 'network lost');
});
