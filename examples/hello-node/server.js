// Answers who it is. What Slipway gives a service is in its environment and below /run/slipway.
'use strict';
const http = require('node:http');

const { SLIPWAY_SERVICE, SLIPWAY_RELEASE, SLIPWAY_MACHINE } = process.env;
let visits = 0;

const server = http.createServer((request, response) => {
  if (request.url === '/healthz') return response.end('well\n');
  if (request.url !== '/') return response.writeHead(404).end('/ or /healthz\n');
  const said = { hello: SLIPWAY_SERVICE, release: Number(SLIPWAY_RELEASE), machine: SLIPWAY_MACHINE, node: process.version, visits: ++visits };
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(said) + '\n');
});

server.listen(8080, () => console.log(`hello-node ${SLIPWAY_RELEASE} answers on :8080`));
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
