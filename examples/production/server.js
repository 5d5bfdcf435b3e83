'use strict';

const http = require('node:http');
const os = require('node:os');
const { createHmac } = require('node:crypto');

const { version } = require('./package.json');
const { STAGE, LOG_LEVEL, GREETING, SIGNING_KEY } = process.env;
if (!SIGNING_KEY) throw new Error('SIGNING_KEY is not set');

const server = http.createServer((request, response) => {
  if (request.url === '/health') return response.end('ok\n');
  if (LOG_LEVEL === 'debug') console.log(`${request.method} ${request.url}`);
  const body = JSON.stringify({ server: os.hostname(), stage: STAGE, version, greeting: GREETING }) + '\n';
  response.setHeader('Content-Type', 'application/json');
  // Clients that have the key can tell that an answer is ours. Nobody else can sign one.
  response.setHeader('X-Signature', createHmac('sha256', SIGNING_KEY).update(body).digest('hex'));
  response.end(body);
});
// The load balancer keeps idle connections for 60 seconds.
server.keepAliveTimeout = 65_000;
server.headersTimeout = 66_000;
server.listen(process.env.PORT, () => console.log(`version ${version} serves ${STAGE}`));

process.once('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
