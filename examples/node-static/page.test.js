'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { page } = require('./page');

test('the page names its version', () => {
  assert.match(page('v7', '/assets/a.css'), /<p>node-static v7<\/p>/);
});

test('the page has its style', () => {
  assert.match(page('v7', '/assets/a.css'), /href="\/assets\/a\.css"/);
});
