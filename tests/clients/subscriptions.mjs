// Subscriptions against a running server: node subscriptions.mjs <host:port> <vext> <database> <pid of the server>
// It needs the token T, and the options that tests/it/subscriptions.rs starts the server with. At the end it stops it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createClient as createSse } from 'graphql-sse';
import { createClient as createWs, GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import WebSocket from 'ws';

const [host, vext, database, pid] = process.argv.slice(2);
const http = `http://${host}/graphql`;
const ws = `ws://${host}/graphql`;
const bearer = { authorization: 'Bearer T' };

const FOLLOW = `subscription ($since: Int, $after: String, $ids: [ID!]) {
  objectChanged(since: $since, after: $after, ids: $ids) { cursor revision action object { name } changes { path after } } }`;
const RENAME = `mutation ($id: ID!, $name: String!) {
  virtualExtensionUpdate(input: { id: $id, information: { name: $name } }) { userErrors { message } } }`;
const IVY = '{ tenant { revision virtualExtension(by: { number: "108" }) { id name } } }';

const checks = [];
const check = (name, run) => checks.push([name, run]);

async function post(query, variables, token = 'T') {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const response = await fetch(http, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return data;
}

const ivy = async () => {
  const { revision, virtualExtension } = (await post(IVY)).tenant;
  return { revision, ...virtualExtension };
};

async function rename(name) {
  const { virtualExtensionUpdate } = await post(RENAME, { id: (await ivy()).id, name });
  assert.deepEqual(virtualExtensionUpdate.userErrors, []);
}

/** The next changes that a client hears of. */
async function heard(client, variables, count) {
  const events = [];
  const results = client.iterate({ query: FOLLOW, variables });
  for await (const { data, errors } of results) {
    assert.equal(errors, undefined);
    events.push(data.objectChanged);
    if (events.length === count) break;
  }
  return events;
}

const wsClient = (options) =>
  createWs({ url: ws, webSocketImpl: WebSocket, connectionParams: bearer, retryAttempts: 0, ...options });
const sseClient = (options) => createSse({ url: http, headers: bearer, retryAttempts: 0, ...options });

for (const [kind, create] of [['graphql-ws', wsClient], ['graphql-sse', sseClient]]) {
  check(`${kind}: a change arrives, and who comes back misses nothing`, async () => {
    const client = create();
    const { revision: since } = await ivy();
    const all = heard(client, { since }, 4);
    for (const name of ['One', 'Two', 'Three', 'Four']) await rename(name);
    const whole = await all;
    const told = whole.map(({ changes }) => changes[0].after);
    assert.deepEqual(told, ['One', 'Two', 'Three', 'Four']);
    const first = await heard(create(), { since }, 2);
    const rest = await heard(create(), { after: first[1].cursor }, 2);
    const cursors = (events) => events.map(({ cursor }) => cursor);
    assert.deepEqual(cursors([...first, ...rest]), cursors(whole));
    await client.dispose();
  });

  check(`${kind}: queries and mutations too`, async () => {
    const client = create();
    const one = async (query, variables) => {
      const results = [];
      for await (const result of client.iterate({ query, variables })) results.push(result);
      assert.equal(results.length, 1);
      return results[0];
    };
    const { data } = await one(IVY);
    assert.equal(data.tenant.virtualExtension.name, (await ivy()).name);
    const saved = await one(RENAME, { id: data.tenant.virtualExtension.id, name: `By ${kind}` });
    assert.deepEqual(saved.data.virtualExtensionUpdate.userErrors, []);
    assert.equal((await ivy()).name, `By ${kind}`);
    await client.dispose();
  });
}

check('graphql-ws: what is not executed is an error, and the socket goes on', async () => {
  const client = wsClient();
  const refusal = async (query) => {
    try {
      for await (const result of client.iterate({ query })) assert.fail(JSON.stringify(result));
    } catch (errors) {
      return errors[0];
    }
    return assert.fail('no error');
  };
  assert.match((await refusal('{ tenant { cod } }')).message, /cod/);
  assert.match((await refusal('{')).message, /./);
  assert.match((await refusal('subscription { a: objectChanged { cursor } b: objectChanged { cursor } }')).message, /only one/);
  const { extensions } = await refusal(`{ ${'a'.repeat(70_000)} }`);
  assert.deepEqual(extensions, { code: 'QUERY_TOO_LARGE', limit: 65_536, actual: 70_004 });
  assert.equal((await client.iterate({ query: '{ tenant { code } }' }).next()).value.data.tenant.code, 'CANISTRACCI');
  await client.dispose();
});

check('graphql-sse: what is not executed is an error in the stream, a bad token is a status', async () => {
  const { value } = await sseClient().iterate({ query: '{ tenant { cod } }' }).next();
  assert.match(value.errors[0].message, /cod/);
  assert.ok(!('data' in value));
  await assert.rejects(sseClient({ headers: { authorization: 'Bearer wrong' } }).iterate({ query: IVY }).next(), (error) => {
    return error.response.status === 401;
  });
});

/** A socket without a client's help. */
async function plain(options = {}, protocol = GRAPHQL_TRANSPORT_WS_PROTOCOL) {
  const socket = new WebSocket(ws, protocol, options);
  const said = [];
  const waiting = [];
  socket.on('message', (message) => {
    const parsed = JSON.parse(message);
    waiting.length ? waiting.shift()(parsed) : said.push(parsed);
  });
  const closed = new Promise((resolve) => socket.on('close', (code, reason) => resolve([code, String(reason)])));
  await once(socket, 'open');
  return {
    socket,
    closed,
    say: (message) => socket.send(JSON.stringify(message)),
    heard: () => (said.length ? said.shift() : new Promise((resolve) => waiting.push(resolve))),
  };
}

async function acknowledged(options, payload = bearer) {
  const peer = await plain(options);
  peer.say({ type: 'connection_init', payload });
  assert.deepEqual(await peer.heard(), { type: 'connection_ack' });
  return peer;
}

const subscribe = (id, query = FOLLOW, variables = undefined) => ({ type: 'subscribe', id, payload: { query, variables } });

async function closes(peer, code, reason, ...messages) {
  for (const message of messages) {
    typeof message === 'string' || Buffer.isBuffer(message) ? peer.socket.send(message) : peer.say(message);
  }
  const [actual, said] = await peer.closed;
  assert.equal(actual, code, said);
  assert.match(said, reason);
}

check('4400: messages that the protocol does not know', async () => {
  for (const message of ['{', 'null', '{"type":"start"}', Buffer.from('{"type":"ping"}'), { type: 'subscribe', id: '' }]) {
    await closes(await acknowledged(), 4400, /^Invalid message/, message);
  }
  await closes(await acknowledged(), 4400, /query is missing/, { type: 'subscribe', id: '1', payload: {} });
  await closes(await plain(), 4400, /^Invalid message/, { type: 'connection_ack' });
});

check('4401: an operation before the acknowledgement', async () => {
  await closes(await plain(), 4401, /^Unauthorized$/, subscribe('1', IVY));
});

check('4403: a token that is not valid, and none', async () => {
  for (const payload of [{ authorization: 'Bearer wrong' }, { authorization: 'T' }, {}, undefined]) {
    await closes(await plain(), 4403, /^Forbidden$/, { type: 'connection_init', payload });
  }
});

check('4406: another subprotocol, and none', async () => {
  // `ws` itself gives up on a server that has chosen no subprotocol, so that only the bytes show the code.
  const socket = connect(host.split(':')[1], host.split(':')[0]);
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
  socket.write(`GET /graphql HTTP/1.1\r\nHost: ${host}\r\n${upgrade}\r\nSec-WebSocket-Protocol: graphql-ws\r\n\r\n`);
  let answer = Buffer.alloc(0);
  for await (const part of socket) {
    answer = Buffer.concat([answer, part]);
    const end = answer.indexOf('\r\n\r\n') + 4;
    if (end > 4 && answer.length >= end + 4) {
      answer = answer.subarray(end);
      break;
    }
  }
  assert.equal(answer[0], 0x88);
  assert.equal(answer.readUInt16BE(2), 4406);
  await closes(await plain({}, []), 4406, /^Subprotocol not acceptable$/);
});

check('4408: no connection_init in time', async () => {
  const begun = Date.now();
  const peer = await plain();
  peer.say({ type: 'ping' });
  assert.deepEqual(await peer.heard(), { type: 'pong' });
  await closes(peer, 4408, /^Connection initialisation timeout$/);
  const took = Date.now() - begun;
  assert.ok(took > 2500 && took < 15_000, `${took} ms`);
});

check('4409: an id that is in use, but not one that was', async () => {
  const peer = await acknowledged();
  peer.say(subscribe('1', IVY));
  assert.equal((await peer.heard()).type, 'next');
  assert.deepEqual(await peer.heard(), { id: '1', type: 'complete' });
  peer.say(subscribe('1'));
  peer.say({ type: 'complete', id: '1' });
  peer.say(subscribe('1', IVY));
  assert.equal((await peer.heard()).payload.data.tenant.virtualExtension.id, (await ivy()).id);
  assert.equal((await peer.heard()).type, 'complete');
  await closes(peer, 4409, /^Subscriber for 2 already exists$/, subscribe('2'), subscribe('2', IVY));
});

check('4429: a second connection_init', async () => {
  const init = { type: 'connection_init', payload: bearer };
  await closes(await acknowledged(), 4429, /^Too many initialisation requests$/, init);
  await closes(await plain(), 4429, /^Too many initialisation requests$/, init, init);
});

check('1009: a message longer than a body', async () => {
  await closes(await acknowledged(), 1009, /too big/, subscribe('1', `{ ${' '.repeat(300_000)} }`));
});

check('a ping is answered with its payload', async () => {
  const peer = await acknowledged();
  peer.say({ type: 'ping', payload: { at: 7 } });
  assert.deepEqual(await peer.heard(), { type: 'pong', payload: { at: 7 } });
  peer.socket.close();
});

check('who does not answer pings is cut, who does is not', async () => {
  const [dead, alive] = [await acknowledged({ autoPong: false }), await acknowledged()];
  let pings = 0;
  alive.socket.on('ping', () => (pings += 1));
  const [code] = await dead.closed;
  assert.equal(code, 1006);
  while (pings < 3) await once(alive.socket, 'ping');
  alive.say(subscribe('1', IVY));
  assert.equal((await alive.heard()).type, 'next');
  alive.socket.close();
});

check('the headers of the upgrade say who asks, too', async () => {
  const peer = await acknowledged({ headers: { ...bearer, 'x-tenant': 'MOLLOY' } }, null);
  peer.say(subscribe('1', '{ tenant { code } }'));
  assert.equal((await peer.heard()).payload.data.tenant.code, 'MOLLOY');
  peer.socket.close();
  const selected = await acknowledged({}, { Authorization: 'Bearer T', tenant: 'MOLLOY' });
  selected.say(subscribe('1', '{ tenant { code } }'));
  assert.equal((await selected.heard()).payload.data.tenant.code, 'MOLLOY');
  selected.socket.close();
});

check('pages of other origins are refused', async () => {
  for (const origin of ['https://evil.example', 'null']) {
    await assert.rejects(plain({ origin }), /403/);
  }
  for (const origin of [`http://${host}`, 'https://panel.example']) {
    (await acknowledged({ origin })).socket.close();
  }
});

check('operations of a socket are limited', async () => {
  const peer = await acknowledged();
  for (let id = 1; id <= 31; id += 1) peer.say(subscribe(String(id)));
  const { id, type, payload } = await peer.heard();
  assert.deepEqual([id, type], ['31', 'error']);
  assert.deepEqual(payload[0].extensions, { code: 'TOO_MANY_SOCKET_OPERATIONS', limit: 30, actual: 31 });
  await rename('Thirty times');
  const told = new Set();
  while (told.size < 30) told.add((await peer.heard()).id);
  peer.socket.close();
  await peer.closed;
});

/** A socket more, or why there is none. What was closed a moment ago may still count. */
async function another() {
  const peer = await plain();
  peer.say({ type: 'connection_init', payload: bearer });
  const first = await Promise.race([peer.heard(), peer.closed]);
  return Array.isArray(first) ? { refused: first } : { peer };
}

/** Opens sockets until `count` of them are open. */
async function fill(count) {
  const open = [];
  while (open.length < count) {
    const { peer } = await another();
    peer ? open.push(peer) : await pause();
  }
  return open;
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 100));

check('sockets and streams of a token are limited', async () => {
  const open = await fill(12);
  const { refused } = await another();
  assert.deepEqual(refused, [4429, 'The token has 12 streams open; at most 12 are allowed.']);
  await assert.rejects(sseClient().iterate({ query: FOLLOW }).next(), (error) => error.response.status === 429);
  open.forEach((peer) => peer.socket.close());
  await Promise.all(open.map((peer) => peer.closed));
});

check('a client that does not read is cut', async () => {
  const open = await fill(12);
  const [peer] = open;
  const big = '{ __schema { types { name description fields { name description args { name description } } inputFields { name description } } } }';
  let answers = 0;
  peer.socket.on('message', () => (answers += 1));
  peer.socket._socket.pause();
  for (let id = 0; id < 30; id += 1) peer.say(subscribe(String(id), big));
  // While it does not read it does not see that it is cut, but its place becomes free.
  for (;;) {
    const { peer: next } = await another();
    if (next) {
      open.push(next);
      break;
    }
    await pause();
  }
  peer.socket._socket.resume();
  assert.equal((await peer.closed)[0], 1006);
  assert.ok(answers < 30, `${answers} answers`);
  open.forEach(({ socket }) => socket.close());
});

check('a token that is revoked ends its subscriptions and opens no more sockets', async () => {
  const run = (...args) => execFileSync(vext, ['token', ...args, '--database', database], { encoding: 'utf8' }).trim();
  const token = { authorization: `Bearer ${run('create', '--name', 'brief', '--tenant', 'CANISTRACCI', '--scope', 'read')}` };
  const peer = await acknowledged({}, token);
  peer.say(subscribe('1'));
  await rename('Before');
  // Whether the first event is this one depends on which of the two came first.
  run('revoke', 'brief');
  await rename('After');
  let last = await peer.heard();
  while (last.type === 'next') {
    assert.notEqual(last.payload.data.objectChanged.changes[0].after, 'After');
    last = await peer.heard();
  }
  assert.deepEqual([last.type, last.payload[0].extensions.code], ['error', 'UNAUTHENTICATED']);
  peer.say(subscribe('2', IVY));
  last = await peer.heard();
  assert.deepEqual([last.id, last.type, last.payload[0].extensions.code], ['2', 'error', 'UNAUTHENTICATED']);
  peer.socket.close();
  await closes(await plain(), 4403, /^Forbidden$/, { type: 'connection_init', payload: token });
});

check('1001: the server stops, and ends its streams without calling them complete', async () => {
  const { revision: since } = await ivy();
  const peer = await acknowledged();
  peer.say(subscribe('1', FOLLOW, { since }));
  const headers = { ...bearer, 'content-type': 'application/json', accept: 'text/event-stream' };
  const body = JSON.stringify({ query: FOLLOW, variables: { since } });
  const stream = await fetch(http, { method: 'POST', headers, body });
  await rename('The last');
  assert.equal((await peer.heard()).type, 'next');
  let text = '';
  for await (const part of stream.body) {
    text += Buffer.from(part).toString();
    if (text.includes('The last')) process.kill(Number(pid), 'SIGTERM');
  }
  assert.doesNotMatch(text, /event: complete/);
  assert.deepEqual(await peer.closed, [1001, 'Going away']);
});

for (const [name, run] of checks) {
  const late = setTimeout(() => {
    console.error(`${name}: takes too long`);
    process.exit(1);
  }, 40_000);
  try {
    await run();
  } catch (error) {
    console.error(`${name}: ${error.stack ?? JSON.stringify(error)}`);
    process.exit(1);
  }
  clearTimeout(late);
}
console.log(`ok ${checks.length} checks`);
process.exit(0);
