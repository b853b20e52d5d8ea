/** Images from the web: what is fetched, where no URL and no redirect may lead, and how every fault ends. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { LincirError } from '../core/index.ts';
import { type FetchImageOptions, fetchImage, isPublicAddress, isWebAddress } from './remote.ts';

const picture = Buffer.from('\x89PNG and what follows', 'latin1');

/** Starts a server on 127.0.0.1 and gives its URL, without a path. */
async function serve(
  context: TestContext,
  answer: RequestListener,
  server = createServer(),
): Promise<string> {
  server.on('request', answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => stopped(server));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function stopped(server: Server): void {
  server.closeAllConnections();
  server.close();
}

const local = (options: FetchImageOptions = {}) => ({ allowPrivate: true, ...options });

async function refused(fetching: Promise<unknown>, code: string, ...patterns: RegExp[]): Promise<void> {
  await assert.rejects(fetching, (error) => {
    assert.ok(error instanceof LincirError, String(error));
    for (const pattern of patterns) assert.match(error.message, pattern);
    assert.equal(error.code, code, error.message);
    assert.doesNotMatch(error.message, /secret|\n/);
    return true;
  });
}

test('an image is fetched, with a request that asks for one', async (context) => {
  const asked: Record<string, unknown>[] = [];
  const server = await serve(context, ({ headers, url }, response) => {
    asked.push({ ...headers, url });
    response.writeHead(200, { 'content-type': 'image/png' }).end(picture);
  });
  const bytes = await fetchImage(`${server}/a.png?key=1`, local());
  assert.deepEqual(Buffer.from(bytes), picture);
  assert.equal(bytes.buffer.byteLength, picture.length);
  const { accept, url, connection, 'accept-encoding': encoding, 'user-agent': agent } = asked[0] ?? {};
  assert.deepEqual(
    [accept, url, connection, encoding, agent],
    ['image/*', '/a.png?key=1', 'close', 'identity', 'lincir'],
  );
});

test('a large image of unknown length arrives whole', async (context) => {
  const large = Buffer.alloc(300_000, 'picture');
  const server = await serve(context, (_, response) => {
    response.writeHead(200, { 'content-type': 'binary/octet-stream' });
    for (let start = 0; start < large.length; start += 7001)
      response.write(large.subarray(start, start + 7001));
    response.end();
  });
  const bytes = await fetchImage(server, local({ maxBytes: large.length }));
  assert.ok(large.equals(bytes)); // deepEqual would take long to show what differs
});

test('redirects are followed, five and no more', async (context) => {
  const server = await serve(context, ({ url = '' }, response) => {
    const left = Number(url.slice(1));
    if (left === 0) response.end(picture);
    else response.writeHead([301, 302, 303, 307, 308][left % 5]!, { location: `${left - 1}` }).end('moved');
  });
  assert.deepEqual(Buffer.from(await fetchImage(`${server}/5`, local())), picture);
  await refused(
    fetchImage(`${server}/6`, local()),
    'network',
    /\/6", redirected to ".*\/0".*at most 5 redirects/,
  );
});

test('a redirect may be written in UTF-8', async (context) => {
  const asked: unknown[] = [];
  const server = await serve(context, ({ url }, response) => {
    asked.push(url);
    if (url === '/') response.writeHead(301, { location: Buffer.from('/é').toString('latin1') }).end();
    else response.end(picture);
  });
  await fetchImage(server, local());
  assert.deepEqual(asked, ['/', '/%C3%A9']);
});

test('a redirect in a circle, to nowhere or to no web address is refused', async (context) => {
  const server = await serve(context, ({ url = '' }, response) => {
    const location = decodeURIComponent(url.slice(2));
    response.writeHead(302, location === 'none' ? {} : { location }).end();
  });
  const redirected = (to: string) => fetchImage(`${server}/?${encodeURIComponent(to)}`, local());
  await refused(redirected(''), 'network', /cannot be read/);
  await refused(redirected('none'), 'network', /cannot be read/);
  await refused(redirected('?round'), 'network', /at most 5 redirects/);
  await refused(redirected('ftp://a.example/b'), 'network', /redirected to "ftp:.*the scheme "ftp:"/);
  await refused(redirected('file:///etc/passwd'), 'network', /the scheme "file:"/);
  await refused(redirected('http://me:secret@a.example/'), 'network', /a user name or a password/);
  await refused(redirected('http://[::'), 'network', /cannot be read/);
});

test('only http and https URLs without a password are fetched', async () => {
  await refused(
    fetchImage('ftp://a.example/b.png', local()),
    'bad-argument',
    /"ftp:\/\/a\.example\/b\.png".*use https/,
  );
  await refused(fetchImage('file:///etc/passwd', local()), 'bad-argument', /the scheme "file:"/);
  await refused(fetchImage('https://', local()), 'bad-argument', /cannot be read/);
  await refused(
    fetchImage('http://me:secret@[a?secret', local()),
    'bad-argument',
    /"http:\/\/\[a".*cannot be read/,
  );
  for (const user of ['me:secret', 'secret', ':secret']) {
    const fetching = fetchImage(`https://${user}@a.example/b?secret`, local());
    await refused(fetching, 'bad-argument', /"https:\/\/a\.example\/b": .*a user name or a password/);
  }
  assert.deepEqual(
    ['http://a', 'HTTPS://a', 'https:/a', 'a/http://b', 'ftp://a', 'C:\\a'].map(isWebAddress),
    [true, true, false, false, false, false],
  );
});

test('addresses of this machine are refused, however they are spelled', async (context) => {
  let requests = 0;
  const server = await serve(context, (_, response) => {
    requests++;
    response.end(picture);
  });
  const { port } = new URL(server);
  const spellings = ['127.0.0.1', '127.1', '2130706433', '0x7f.1', '017700000001', '127.0.0.1.', '①②⑦.0.0.1'];
  for (const host of [...spellings, '0x7f000001', '%31%32%37.0.0.1']) {
    const fetching = fetchImage(`http://${host}:${port}/a?secret`);
    await refused(
      fetching,
      'bad-argument',
      /found 127\.0\.0\.1; give `allowPrivate`/,
      /"http:\/\/127\.0\.0\.1:\d+\/a"/,
    );
  }
  await refused(fetchImage(`http://0:${port}/`), 'bad-argument', /found 0\.0\.0\.0/);
  await refused(fetchImage(`http://[::1]:${port}/`), 'bad-argument', /found ::1/);
  await refused(fetchImage(`https://[0::0:1]:${port}/`), 'bad-argument', /found ::1/);
  await refused(fetchImage(`http://[::ffff:127.0.0.1]:${port}/`), 'bad-argument', /found ::ffff:7f00:1/);
  await refused(fetchImage(`http://localhost:${port}/`), 'bad-argument', /found (127\.0\.0\.1|::1);/);
  assert.equal(requests, 0);
});

test('an address is public only if anybody may be asked at it', () => {
  const publicOnes = ['8.8.8.8', '100.63.255.255', '172.32.0.1', '::ffff:8.8.8.8', '2606:4700::1111'];
  assert.deepEqual(publicOnes.filter(isPublicAddress), publicOnes);
  const others = [
    ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.8.8.8', '169.254.169.254', '172.16.0.1', '192.0.0.8'],
    ...['192.0.2.1', '192.168.0.1', '198.18.0.1', '203.0.113.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
    ...['::', '::1', '::7f00:1', '::808:808', '::ffff:10.0.0.1', '::ffff:0:808:808', '64:ff9b::808:808'],
    ...[
      '64:ff9b:1::1',
      '100::1',
      '2001::1',
      '2001:db8::1',
      '2002:808:808::1',
      '4000::1',
      'fc00::1',
      'fd00:ec2::254',
    ],
    ...['fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', 'name.example', ''],
  ];
  assert.deepEqual(others.filter(isPublicAddress), []);
});

/** An internet whose names are given, in which only 127.0.0.1 is public. */
function internet(names: Readonly<Record<string, readonly string[]>>) {
  const asked: string[] = [];
  const addressesOf = async (name: string) => {
    asked.push(name);
    return (names[name] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return { asked, addressesOf, isPublic: (address: string) => address === '127.0.0.1' };
}

test('a name that has an address which is not public is refused', async () => {
  const addressesOf = async () => [
    { address: '8.8.8.8', family: 4 },
    { address: '127.0.0.1', family: 4 },
  ];
  const fetching = fetchImage('https://pictures.example/a', { internet: { addressesOf } });
  await refused(
    fetching,
    'bad-argument',
    /"https:\/\/pictures\.example\/a".*found 127\.0\.0\.1; give `allowPrivate`/,
  );
});

test('a redirect into a private network is refused', async (context) => {
  let requests = 0;
  const server = await serve(context, ({ url = '' }, response) => {
    requests++;
    if (url === '/') response.end(picture);
    else response.writeHead(302, { location: decodeURIComponent(url.slice(1)) }).end();
  });
  const options = { internet: internet({ 'intern.example': ['127.0.0.1', '127.0.0.2'] }) };
  const redirected = (to: string) => fetchImage(`${server}/${encodeURIComponent(to)}`, options);
  assert.deepEqual(Buffer.from(await redirected('/')), picture);
  requests = 0;
  const { port } = new URL(server);
  const targets = { '127.2': '127.0.0.2', '[::1]': '::1', '169.254.169.254': '169.254.169.254' };
  for (const [host, found] of Object.entries({ ...targets, 'intern.example': '127.0.0.2' })) {
    const fetching = redirected(`http://${host}:${port}/`);
    await refused(
      fetching,
      'bad-argument',
      /redirected to/,
      new RegExp(`found ${found}; give \`allowPrivate\``),
    );
  }
  assert.equal(requests, 4);
});

test('the address that was checked is the one that is connected to', async (context) => {
  const names: Record<string, string[]> = { 'pictures.invalid': ['127.0.0.1'] };
  const server = await serve(context, (_, response) => {
    names['pictures.invalid'] = ['127.0.0.2'];
    response.writeHead(302, { location: '/again' }).end();
  });
  const { port } = new URL(server);
  const changing = internet(names);
  const fetching = fetchImage(`http://pictures.invalid:${port}/`, { internet: changing });
  await refused(fetching, 'bad-argument', /\/again".*found 127\.0\.0\.2/);
  assert.deepEqual(changing.asked, ['pictures.invalid', 'pictures.invalid']); // once for each connection
});

test('what is too large is refused before it is read, or cut', async (context) => {
  let sent = 0;
  const server = await serve(context, ({ url }, response) => {
    if (url === '/announced') response.writeHead(200, { 'content-length': 2e9 }).write('x');
    else {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(10_000))) sent += 10_000;
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    }
  });
  await refused(fetchImage(`${server}/announced`, local()), 'bad-file', /at most 67 MB, found 2\.0 GB/);
  const exact = { maxBytes: 100_000 };
  await refused(fetchImage(`${server}/endless`, local(exact)), 'bad-file', /at most 100 kB, found more/);
  assert.ok(sent < 50e6, `${sent} bytes were sent`);
});

test('a slow drip and a silent server end at the time set', async (context) => {
  const server = await serve(context, ({ url }, response) => {
    if (url === '/silent') return;
    const drip = setInterval(() => response.write('x'), 10);
    response.on('close', () => clearInterval(drip));
  });
  for (const path of ['silent', 'drip']) {
    const fetching = fetchImage(`${server}/${path}`, local({ timeout: 150 }));
    await refused(fetching, 'network', /within 150 ms, found that it takes longer/);
  }
  const addressesOf = () => new Promise<never>(() => {});
  const fetching = fetchImage('http://a.example/', { timeout: 20, internet: { addressesOf } });
  await refused(fetching, 'network', /within 20 ms/);
});

test('an abort ends it with its reason', async (context) => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const server = await serve(context, (_, response) => {
    response.write('x');
    setTimeout(() => controller.abort(reason), 20);
  });
  const { signal } = controller;
  await assert.rejects(fetchImage(server, local({ signal })), reason);
  await assert.rejects(fetchImage(server, local({ signal })), reason);
});

test('what is no image is refused', async (context) => {
  const server = await serve(context, ({ url = '' }, response) => {
    const [type, body] = decodeURIComponent(url.slice(1)).split('|');
    response.writeHead(200, type ? { 'content-type': type } : {}).end(body);
  });
  const get = (type: string, body: string) =>
    fetchImage(`${server}/${encodeURIComponent(`${type}|${body}`)}`, local());
  await refused(
    get('text/html; charset=utf-8', 'x'),
    'bad-file',
    /an image, found the content type "text\/html"/,
  );
  for (const type of ['application/json', 'text/plain', 'video/mp4', 'imagery/png', 'x']) {
    await refused(get(type, 'x'), 'bad-file', new RegExp(`"${type}"`));
  }
  await refused(get('image/png', ''), 'bad-file', /an image, found no bytes/);
  for (const type of ['', 'IMAGE/JPEG', 'image/png;x=y', 'Application/Octet-Stream']) {
    assert.deepEqual(Buffer.from(await get(type, 'x')), Buffer.from('x'));
  }
});

test('an answer that is no whole image is an error of its own', async (context) => {
  const server = await serve(context, ({ url, socket }, response) => {
    const path = url?.split('?')[0] ?? '';
    const answers: Record<string, () => void> = {
      '/cut': () => response.writeHead(200, { 'content-length': 9 }).write('x', () => socket.destroy()),
      '/reset': () => socket.destroy(),
      '/101': () =>
        socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
      '/garbage': () => socket.end('garbage\r\n\r\n'),
      '/gzip': () => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
    };
    const status = Number(path.slice(1));
    (answers[path] ?? (() => response.writeHead(status).end(status === 204 ? undefined : 'x')))();
  });
  const get = (path: string) => fetchImage(`${server}/${path}?secret`, local({ timeout: 5000 }));
  await refused(get('404'), 'not-found', /\/404": expected an image, found HTTP status 404/);
  await refused(get('410'), 'not-found', /HTTP status 410/);
  for (const status of [204, 206, 304, 403, 500]) {
    await refused(get(`${status}`), 'network', new RegExp(`HTTP status 200, found HTTP status ${status}`));
  }
  await refused(get('cut'), 'network', /the connection was cut/);
  await refused(get('reset'), 'network', /the connection was cut/);
  await refused(get('101'), 'network', /to receive it/);
  await refused(get('garbage'), 'network', /Parse Error/);
  await refused(get('gzip'), 'network', /the content encoding "gzip"/);
});

test('a host that is not there is told of in one line', async (context) => {
  const server = createServer();
  const url = await serve(context, () => {}, server);
  stopped(server);
  await refused(fetchImage(`${url}/a?secret`, local()), 'network', /\/a".*found a refused connection/);
  const addressesOf = async () => {
    throw Object.assign(new Error('getaddrinfo ENOTFOUND a.example'), { code: 'ENOTFOUND' });
  };
  await refused(
    fetchImage('http://a.example', { internet: { addressesOf } }),
    'network',
    /no such host is known/,
  );
  await refused(
    fetchImage('http://a.example', { internet: internet({}) }),
    'network',
    /no such host is known/,
  );
});

/** A certificate of pictures.example, signed by itself, good until 2120. */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8eOJyuH5kV492YbJ
nHxvubWS1/g9bFG2ulQJAjh8rbKhRANCAATF9G6ifEQMvyV8eX422U67/qUbNkUi
/IH7rBNWCjKK727UU9b9uD/Oj1em1v3GqKafV8qQu3wCyVYtb5jfqGZ6
-----END PRIVATE KEY-----`;
const cert = `-----BEGIN CERTIFICATE-----
MIIBdjCCARygAwIBAgIBATAKBggqhkjOPQQDAjAbMRkwFwYDVQQDDBBwaWN0dXJl
cy5leGFtcGxlMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAbMRkw
FwYDVQQDDBBwaWN0dXJlcy5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAExfRuonxEDL8lfHl+NtlOu/6lGzZFIvyB+6wTVgoyiu9u1FPW/bg/zo9Xptb9
xqimn1fKkLt8AslWLW+Y36hmeqNPME0wDwYDVR0TAQH/BAUwAwEB/zAbBgNVHREE
FDASghBwaWN0dXJlcy5leGFtcGxlMB0GA1UdDgQWBBSVk/ehZvpPfK3aLcB5Qi1B
MuHyNDAKBggqhkjOPQQDAgNIADBFAiEAru2gS9IhVifgE6CXXRR1XhkDRWqCpLXG
6mwOQzpbhcsCIGA/sSixK/KwNMiOgvbO4otRUk5088l7uWO9US2/P3Fb
-----END CERTIFICATE-----`;

test('https needs a certificate that holds, and never goes on by http', async (context) => {
  const answer: RequestListener = ({ url, headers }, response) => {
    if (url === '/down') response.writeHead(302, { location: `http://${headers.host}/` }).end();
    else response.end(picture);
  };
  const { port } = new URL(await serve(context, answer, createSecureServer({ key, cert })));
  const names = { 'pictures.example': ['127.0.0.1'], 'other.example': ['127.0.0.1'] };
  const get = (name: string) => fetchImage(`https://${name}`, { internet: internet(names) });
  await refused(
    get(`pictures.example:${port}`),
    'network',
    /a certificate that cannot be trusted \(self-signed/,
  );

  const trusted = getCACertificates();
  context.after(() => setDefaultCACertificates(trusted));
  setDefaultCACertificates([cert]);
  assert.deepEqual(Buffer.from(await get(`pictures.example:${port}`)), picture);
  await refused(get(`pictures.example:${port}/down`), 'network', /expected https throughout/);
  await refused(get(`other.example:${port}`), 'network', /a certificate that cannot be trusted \(.*altnames/);
});
