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

// The load balancer sends requests only while this health check succeeds.
app.get('/health', (request, response) => {
  response.json({ status: 'ok', uptime: Math.round(process.uptime()) });
});

const server = app.listen(port, (error) => {
  if (error) throw error;
  console.log(`${os.hostname()} serves on port ${port}`);
});

// The load balancer keeps idle connections for 60 s. Closing them earlier here would
// cut off a request in flight.
server.keepAliveTimeout = 65_000;

// On SIGTERM, finish the requests in flight and exit.
process.once('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
