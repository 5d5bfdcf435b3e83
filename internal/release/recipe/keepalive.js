
// balancerIdle is how long the load balancer keeps an idle connection, in seconds
// (Elastic Load Balancing User Guide, "Connection idle timeout"). If the application
// closes it earlier, a request that is on its way then ends with 502.
const balancerIdle = 60;

// keepsIdle resolves to how many seconds the service keeps an idle connection, or to
// undefined if it is not known: it closes each connection after its answer, or has
// not closed the connection and announced no time within ms. Node.js announces it in
// a Keep-Alive header.
function keepsIdle(host, port, path, ms) {
  return new Promise((resolve) => {
    const agent = new http.Agent({ keepAlive: true });
    let idleSince;
    const end = (seconds) => {
      resolve(seconds);
      agent.destroy();
    };
    const request = http.get({ host, port, path, agent, timeout: 5000 }, (response) => {
      response.resume();
      response.on('end', () => {
        const announced = /timeout=(\d+)/.exec(response.headers['keep-alive'] || '');
        if (response.headers.connection === 'close') end();
        else if (announced) end(Number(announced[1]));
        idleSince = Date.now();
        setTimeout(end, ms);
      });
    });
    request.on('socket', (socket) => {
      socket.on('close', () => end(idleSince && Math.round((Date.now() - idleSince) / 1000)));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => end());
  });
}

function warnOfIdle(seconds) {
  if (seconds === undefined || seconds > balancerIdle) return;
  console.log(`aloft-note: the application closes idle connections after ${seconds} s, and the load balancer keeps `
    + `them for ${balancerIdle} s: requests may end with 502; in Node.js set server.keepAliveTimeout = 65000 `
    + 'and server.headersTimeout = 66000');
}
