'use strict';

const http = require('node:http');
const os = require('node:os');
const ms = require('ms');
const { greet } = require('@example/greeting');

const server = http.createServer((request, response) => {
  response.end(request.url === '/health' ? 'ok\n' : greet(os.hostname()));
});
// The load balancer keeps idle connections for a minute.
server.keepAliveTimeout = ms('65 seconds');
server.headersTimeout = ms('66 seconds');
server.listen(process.env.PORT);
