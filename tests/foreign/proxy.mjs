// An HTTP proxy (CONNECT, RFC 9110 §9.3.6) as a city may have between its node and the rest. It notes where it was asked to
// connect to; tests read that at /tunnels, and cut it off and back on by POST to /close and /open.
//
//   ADDRESS=10.77.0.8 PORT=3128 CREDENTIALS_FILE=file with user:password   node proxy.mjs

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';

const { ADDRESS, PORT, CREDENTIALS_FILE } = process.env;
const credentials = `Basic ${Buffer.from((await readFile(CREDENTIALS_FILE, 'utf8')).trim()).toString('base64')}`;
const hosts = [];
const open = new Set();
let closed = false;

const server = createServer((request, response) => {
  if (request.method === 'POST') {
    closed = request.url === '/close';
    if (closed) for (const socket of open) socket.destroy();
  }
  response.setHeader('content-type', 'application/json').end(JSON.stringify(hosts));
});

server.on('connect', (request, client, head) => {
  const refuse = (status) => client.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
  client.on('error', () => client.destroy());
  if (request.headers['proxy-authorization'] !== credentials) {
    return refuse('407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="city"');
  }
  if (closed) return refuse('503 Service Unavailable');
  const { hostname, port } = new URL(`http://${request.url}`);
  hosts.push(hostname);
  const far = connect({ host: hostname, port: Number(port) || 80 }, () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    far.write(head);
    client.pipe(far).pipe(client);
  });
  for (const [socket, other] of [[client, far], [far, client]]) {
    open.add(socket);
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      open.delete(socket);
      other.destroy();
    });
  }
  return undefined;
});

server.listen({ host: ADDRESS, port: Number(PORT) }, () => console.log('proxy: ready'));
