'use strict';
// Asks the service as the load balancer will: at an address of the network, and
// for the same path and status codes. Ends when it has answered so, and has gone
// on for the time of the watch without being started anew; when it has crashed
// three times before; or when time is up.
const { execFileSync } = require('node:child_process');
const http = require('node:http');
const os = require('node:os');

const [unit, port, path, matcher, patience, watch] = process.argv.slice(2);
const addresses = Object.values(os.networkInterfaces()).flat();
const own = addresses.find((a) => !a.internal && (a.family === 'IPv4' || a.family === 4));
const deadline = Date.now() + Number(patience) * 1000;
const show = (property) => String(execFileSync('systemctl', ['show', '-p', property, '--value', unit])).trim();
const restarts = () => Number(show('NRestarts')) || 0;
const before = restarts();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const passes = (status) => matcher.split(',').some((range) => {
  const [from, to = from] = range.split('-').map(Number);
  return status >= from && status <= to;
});

const ask = (host) => new Promise((resolve) => {
  const request = http.get({ host, port, path, agent: false, timeout: 5000 }, (response) => {
    response.resume();
    resolve({ status: response.statusCode });
  });
  request.on('timeout', () => request.destroy(new Error('no answer within 5 s')));
  request.on('error', (error) => resolve({ problem: error.code || error.message }));
});

// goesOn watches a service that answers: each second it is asked again. Every
// start of a unit has an invocation of its own (systemd.exec(5), INVOCATION_ID).
async function goesOn(host) {
  const idle = keepsIdle(host, port, path, Number(watch) * 1000);
  const invocation = show('InvocationID');
  const began = Date.now();
  while (Date.now() - began < Number(watch) * 1000) {
    await pause(1000);
    const answer = await ask(host);
    const after = `after ${Math.round((Date.now() - began) / 1000)} s`;
    if (show('InvocationID') !== invocation) {
      console.log(`the service ended ${after}, and was started again`);
      return 1;
    }
    if (!answer.status) {
      console.log(`${after} it answers no more: ${answer.problem}`);
      return 1;
    }
    if (!passes(answer.status)) {
      console.log(`${after} it answers ${answer.status}; the health check wants ${matcher}`);
      return 1;
    }
  }
  if (Number(watch) > 0) console.log(`it went on doing so for ${watch} s`);
  warnOfIdle(await idle);
  return 0;
}

async function main() {
  const host = own ? own.address : '127.0.0.1';
  let last;
  for (;;) {
    last = await ask(host);
    if (last.status && passes(last.status)) {
      console.log(`http://${host}:${port}${path} answers ${last.status}`);
      return goesOn(host);
    }
    if (Date.now() > deadline) break;
    const crashes = restarts() - before;
    if (crashes >= 3) {
      console.log(`the service has ended ${crashes} times`);
      return 1;
    }
    await pause(100);
  }
  if (last.status) {
    console.log(`http://${host}:${port}${path} answers ${last.status}; the health check wants ${matcher}`);
  } else if ((await ask('127.0.0.1')).status) {
    console.log(`the application listens on 127.0.0.1 alone: let it listen on 0.0.0.0, so that the load balancer reaches it`);
  } else {
    console.log(`nothing answers on port ${port} (${last.problem}) after ${patience} s: does the application listen there? (PORT=${port} is in its environment)`);
  }
  return 1;
}

main().then((code) => process.exit(code));
