// Names and ports of this machine. Browsers resolve *.localhost to loopback by themselves (RFC 6761); Node.js asks the
// system's resolver, which usually does not know such names. Importing this module makes this process do as browsers do.

import dns from 'node:dns';
import net from 'node:net';

const systemLookup = dns.lookup;

dns.lookup = (host, options, callback) => {
  const done = callback ?? options;
  if (!/(^|\.)localhost$/i.test(host)) return systemLookup(host, options, callback);
  return process.nextTick(() => (options?.all
    ? done(null, [{ address: '127.0.0.1', family: 4 }])
    : done(null, '127.0.0.1', 4)));
};

function isFree(port) {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/**
 * The first of `count` ports in a row that are free on loopback, chosen at random below the range from which the
 * system takes ports for outgoing connections.
 */
export async function freePorts(count) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const first = 10_000 + Math.floor(Math.random() * 20_000);
    const ports = Array.from({ length: count }, (_, index) => first + index);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`found no ${count} free ports in a row on 127.0.0.1`);
}

/** Listens on a loopback port and resolves when connections are taken. */
export function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1' }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Stops a server at once, open connections included. */
export function stopListening(server) {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
