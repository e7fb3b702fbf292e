// Who hears what: every address, groups and users, and sends from outside any hub method.

import assert from 'node:assert/strict';
import { after } from 'node:test';

import { TestServer } from '../kit/server.mjs';
import { scenariosOn } from '../kit/stage.mjs';

const server = await TestServer.start();
after(() => server.stop());
const scenario = scenariosOn(server);

scenario('each address reaches whom it names', async (stage) => {
  const [a, b] = await stage.connectAll(2, '/hub?user=ann');
  const c = await stage.connect('/hub?user=bob');
  const d = await stage.connect();
  for (const client of [a, b]) await client.invoke('JoinGroup', 'red');
  await c.invoke('JoinGroup', 'blue');
  const everybody = [a, b, c, d];

  const rows = [
    ['SendCaller', [], [a]],
    ['SendAll', [], everybody],
    ['SendOthers', [], [b, c, d]],
    ['SendAllExcept', [[b.id, d.id]], [a, c]],
    ['SendAllExcept', [[]], everybody],
    ['SendClient', [c.id], [c]],
    ['SendClient', ['nobody'], []],
    ['SendClients', [[a.id, c.id, 'nobody']], [a, c]],
    ['SendClients', [[]], []],
    ['SendGroup', ['red'], [a, b]],
    ['SendGroup', ['Red'], []],
    ['SendGroups', [['red', 'blue', 'green']], [a, b, c]],
    ['SendGroupExcept', ['red', [a.id]], [b]],
    ['SendOthersInGroup', ['red'], [b]],
    ['SendOthersInGroup', ['blue'], [c]],
    ['SendUser', ['ann'], [a, b]],
    ['SendUser', ['Ann'], []],
    ['SendUsers', [['ann', 'bob', 'eve']], [a, b, c]],
  ];
  const label = ([method, args]) => `${method} ${JSON.stringify(args)}`;
  for (const row of rows) await a.invoke(row[0], ...row[1], label(row));
  await a.invoke('SendAll', 'end');
  for (const client of everybody) {
    const expected = rows.filter(([, , audience]) => audience.includes(client)).map(label);
    assert.deepEqual(await client.heard('Notify').before('end'), expected);
  }
});

scenario('who left a group hears it no more', async (stage) => {
  const [a, b] = await stage.connectAll(2);
  for (const client of [a, b]) await client.invoke('JoinGroup', 'room');
  await a.invoke('SendGroup', 'room', 'both');
  await b.invoke('LeaveGroup', 'room');
  await a.invoke('SendGroup', 'room', 'one');
  await b.invoke('LeaveGroup', 'room');
  await b.invoke('LeaveGroup', 'never joined');
  await a.invoke('SendAll', 'end');
  assert.deepEqual(await a.heard('Notify').before('end'), ['both', 'one']);
  assert.deepEqual(await b.heard('Notify').before('end'), ['both']);
});

scenario('joining twice is joining once', async (stage) => {
  const client = await stage.connect();
  for (let i = 0; i < 2; i += 1) await client.invoke('JoinGroup', 'room');
  await client.invoke('SendGroup', 'room', 'once');
  await client.invoke('SendCaller', 'end');
  assert.deepEqual(await client.heard('Notify').before('end'), ['once']);
  await client.invoke('LeaveGroup', 'room');
  await client.invoke('SendGroup', 'room', 'left');
  await client.invoke('SendCaller', 'end');
  assert.deepEqual(await client.heard('Notify').before('end'), []);
});

scenario('a member that is gone is no trouble to its group', async (stage) => {
  const [a, b] = await stage.connectAll(2);
  for (const client of [a, b]) await client.invoke('JoinGroup', 'room');
  await b.stop();
  await server.farewell(b.id);
  await a.invoke('SendGroup', 'room', 'still');
  await a.invoke('SendClient', b.id, 'gone');
  await a.invoke('SendCaller', 'end');
  assert.deepEqual(await a.heard('Notify').before('end'), ['still']);
});

scenario('from one sender to one receiver there is one order, whatever the address', async (stage) => {
  const [a, b] = await stage.connectAll(2, '/hub?user=ann');
  await b.invoke('JoinGroup', 'room');
  const ways = [['SendAll'], ['SendOthers'], ['SendClient', b.id], ['SendGroup', 'room'], ['SendUser', 'ann']];
  const texts = Array.from({ length: 500 }, (_, i) => String(i));
  await Promise.all(texts.map((text, i) => a.connection.send(...ways[i % ways.length], text)));
  assert.deepEqual(await b.heard('Notify').take(texts.length), texts);
});

scenario('sends from outside reach everybody on the hub', async (stage) => {
  const [a, b] = await stage.connectAll(2);
  const stranger = await stage.connect('/detailed');
  await server.broadcast('from a request');
  await server.broadcastFromThread('from a thread');
  for (const client of [a, b]) {
    assert.deepEqual(await client.heard('Notify').take(2), ['from a request', 'from a thread']);
  }
  await stranger.invoke('SendCaller', 'end');
  assert.deepEqual(await stranger.heard('Notify').before('end'), []);
});

scenario('two hubs on one server know nothing of each other', async (stage) => {
  const a = await stage.connect('/hub?user=ann');
  const b = await stage.connect('/detailed?user=ann');
  for (const client of [a, b]) await client.invoke('JoinGroup', 'room');
  await a.invoke('SendAll', 'all');
  await a.invoke('SendGroup', 'room', 'group');
  await a.invoke('SendUser', 'ann', 'user');
  await a.invoke('SendClient', b.id, 'client');
  await b.invoke('SendCaller', 'end');
  assert.deepEqual(await a.heard('Notify').take(3), ['all', 'group', 'user']);
  assert.deepEqual(await b.heard('Notify').before('end'), []);
});
