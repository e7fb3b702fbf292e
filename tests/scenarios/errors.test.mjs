// What a client is told when a call fails: the texts of ASP.NET Core, which clients in the wild take apart.

import assert from 'node:assert/strict';
import { after } from 'node:test';

import { TestServer } from '../kit/server.mjs';
import { scenariosOn } from '../kit/stage.mjs';

const server = await TestServer.start();
after(() => server.stop());
const scenario = scenariosOn(server);

/** Each a call, its text by default, and what detailed errors add. */
const REFUSALS = [
  {
    call: ['Fail', 'no seats left'],
    text: "An unexpected error occurred invoking 'Fail' on the server. HubException: no seats left",
    detail: '',
  },
  {
    call: ['FailPlain', 'the password is hunter2'],
    text: "An unexpected error occurred invoking 'FailPlain' on the server.",
    detail: ' InvalidOperationException: the password is hunter2',
  },
  {
    call: ['Missing'],
    text: "Failed to invoke 'Missing' due to an error on the server. HubException: Method does not exist.",
    detail: '',
  },
  {
    call: ['OnConnected'],
    text: "Failed to invoke 'OnConnected' due to an error on the server. HubException: Method does not exist.",
    detail: '',
  },
  {
    call: ['Add', 1],
    text: "Failed to invoke 'Add' due to an error on the server.",
    detail: ' InvalidDataException: Invocation provides 1 argument(s) but target expects 2.',
  },
  {
    call: ['Add', 1, 2, 3],
    text: "Failed to invoke 'Add' due to an error on the server.",
    detail: ' InvalidDataException: Invocation provides 3 argument(s) but target expects 2.',
  },
  {
    call: ['Add', 'one', 'two'],
    text: "Failed to invoke 'Add' due to an error on the server.",
    detail:
      ' InvalidDataException: Error binding arguments.'
      + ' Make sure that the types of the provided values match the types of the hub method being invoked.',
  },
  {
    call: ['add', 'the name is the one that was sent'],
    text: "Failed to invoke 'add' due to an error on the server.",
    detail: ' InvalidDataException: Invocation provides 1 argument(s) but target expects 2.',
  },
];

scenario('a failed call is told no more than it may know', async (stage) => {
  const client = await stage.connect('/hub');
  for (const { call, text } of REFUSALS) assert.equal(await client.refusal(...call), text);
  assert.equal(await client.invoke('Echo', 'alive'), 'alive');
});

scenario('detailed errors tell the rest', async (stage) => {
  const client = await stage.connect('/detailed');
  for (const { call, text, detail } of REFUSALS) assert.equal(await client.refusal(...call), text + detail);
  assert.equal(await client.invoke('Echo', 'alive'), 'alive');
});

scenario('a method that panics is an error of its caller and of nobody else', async (stage) => {
  const [caller, other] = await stage.connectAll(2);
  const waiting = other.invoke('Slow', 300, 'undisturbed');
  assert.equal(await caller.refusal('Panic'), "An unexpected error occurred invoking 'Panic' on the server.");
  assert.equal(await waiting, 'undisturbed');
  await caller.invoke('SendAll', 'alive');
  assert.equal(await caller.heard('Notify').next(), 'alive');
  assert.equal(await other.heard('Notify').next(), 'alive');
});
