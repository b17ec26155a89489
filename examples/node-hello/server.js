'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { app } = require('./app');

const version = fs.readFileSync(path.join(__dirname, 'VERSION'), 'utf8').trim();
const port = Number(process.env.PORT ?? 8080);

const server = app(version).listen(port, () => {
  console.log(`node-hello ${version} listens on port ${port}`);
});

process.on('SIGTERM', () => server.close());
