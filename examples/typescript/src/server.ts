import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { hostname } from "node:os";

interface Answer {
  server: string;
  node: string;
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === "/health") {
    response.end("ok\n");
    return;
  }
  const body: Answer = { server: hostname(), node: process.version };
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(body) + "\n");
}

const server = createServer(answer);
// The load balancer keeps idle connections for 60 seconds.
server.keepAliveTimeout = 65_000;
server.headersTimeout = 66_000;
server.listen(Number(process.env.PORT ?? 3000));
