'use strict';

const http = require('node:http');

// app returns a server that answers with its version. It does not listen yet.
function app(version, log = console.log) {
  return http.createServer((request, response) => {
    const path = request.url.split('?', 1)[0];
    switch (path) {
      case '/':
        log(`hello to ${request.headers['user-agent'] ?? 'somebody'}`);
        return response.end(`node-hello ${version}\n`);
      case '/healthz':
        return response.end('ok\n');
    }
    response.statusCode = 404;
    response.end('not found\n');
  });
}

module.exports = { app };
