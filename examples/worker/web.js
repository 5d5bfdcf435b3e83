'use strict';

const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');

const { schema } = JSON.parse(fs.readFileSync('migrated.json', 'utf8'));
const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ server: os.hostname(), schema }) + '\n');
});
// The load balancer keeps idle connections for 60 seconds.
server.keepAliveTimeout = 65_000;
server.headersTimeout = 66_000;
server.listen(process.env.PORT);
