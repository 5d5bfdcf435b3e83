'use strict';

const os = require('node:os');
const express = require('express');

const port = Number(process.env.PORT) || 3000;
const app = express();
let answered = 0;

app.get('/', (request, response) => {
  answered += 1;
  response.json({ message: 'Hello from Aloft', host: os.hostname(), answered });
});

// The load balancer asks here whether this server may have requests.
app.get('/health', (request, response) => {
  response.json({ status: 'ok', uptime: Math.round(process.uptime()) });
});

const server = app.listen(port, (error) => {
  if (error) throw error;
  console.log(`${os.hostname()} serves on port ${port}`);
});

// A load balancer keeps connections open for 60 s; closing ours sooner would
// cut off a request that is on its way.
server.keepAliveTimeout = 65_000;

// When it is told to stop, the server finishes what it has begun.
process.once('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
