'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { after, before, test } = require('node:test');
const { app } = require('./app');

const server = app('v7', () => {});
let url;

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${server.address().port}`;
});

after(() => server.close());

test('hello names its version', async () => {
  assert.equal(await (await fetch(url)).text(), 'node-hello v7\n');
});

test('it is healthy', async () => {
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
});

test('other paths are not found', async () => {
  assert.equal((await fetch(`${url}/other`)).status, 404);
});
