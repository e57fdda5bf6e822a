// An OpenID Provider for tests: `oidc-provider` (certified), on a free port of loopback, with its state in memory.
//
// The first line of standard input is its configuration, in JSON (`ProviderOptions` of src/options.rs); each further line is a command.
// Each is answered by one line of JSON on standard output. It ends where standard input ends.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { generateKeyPairSync, randomUUID } from 'node:crypto';

// What the library logs is for standard error: standard output has the answers alone.
console.log = console.info = console.error;

const { Provider, errors } = await import('oidc-provider');
const { createMemoryAdapter } = await import('oidc-provider/lib/adapters/memory_adapter.js');
const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const adapter = createMemoryAdapter();
const requests = {};
let settings, issuer, keys, provider;

const makeKeys = () => [
  ['RS256', 'rsa', { modulusLength: 2048 }],
  ['PS256', 'rsa', { modulusLength: 2048 }],
  ['ES256', 'ec', { namedCurve: 'P-256' }],
  ['EdDSA', 'ed25519', {}],
].map(([alg, type, options]) => {
  const key = generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' });
  return { ...key, alg, use: 'sig', kid: `${alg}-${randomUUID()}` };
});

// The keys are those of the configuration: another set makes another provider, which shares what is stored.
const replaceKeys = (next) => {
  keys = next;
  provider = makeProvider();
  return { keys };
};

const customize = (_, token, jwt) => {
  jwt.payload.sid = token.sid;
  if (settings.realm) {
    jwt.header = { typ: 'JWT' };
    Object.assign(jwt.payload, { azp: token.clientId, typ: 'Bearer' });
  }
};

const makeProvider = () => {
  const made = new Provider(issuer, {
    adapter,
    clients: settings.clients,
    jwks: { keys },
    cookies: { keys: ['a key of cookies for tests'] },
    scopes: ['openid', 'offline_access', ...new Set(settings.scopes)],
    claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
    ttl: { AccessToken: settings.lifetime, ClientCredentials: settings.lifetime },
    enabledJWA: { clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'] },
    // The library refuses loopback, where the clients of a test are.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId, ...settings.accounts[accountId] }) }),
    extraTokenClaims: (_, token) => ({ ...settings.accounts[token.accountId ?? token.clientId] }),
    formats: { customizers: { jwt: customize } },
    routes: settings.realm ? { jwks: '/protocol/openid-connect/certs' } : {},
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: true, logoutSource: (ctx, form) => { ctx.body = form; } },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, url) => {
          const found = settings.resources[url];
          if (!found) throw new errors.InvalidTarget();
          const { audience, scopes, algorithm } = found;
          return {
            audience,
            scope: scopes.join(' '),
            accessTokenFormat: algorithm ? 'jwt' : 'opaque',
            jwt: algorithm ? { sign: { alg: algorithm } } : undefined,
          };
        },
      },
      ...settings.features,
    },
  });
  made.on('server_error', (_, error) => console.error(error));
  return made;
};

// The user that is asked to log in is the `login_hint` of the request, and agrees to all.
const interact = async (request, response) => {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    const accountId = params.login_hint ?? settings.default_account;
    return provider.interactionFinished(request, response, { login: { accountId } });
  }
  const grant = (grantId && (await provider.Grant.find(grantId)))
    || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
};

const commands = {
  // New keys sign; those of before stay in the key set.
  rotate: () => replaceKeys([...makeKeys(), ...keys]),
  // The newest keys alone stay.
  withdraw: () => replaceKeys(keys.slice(0, 4)),
  requests: (path) => ({ requests: requests[path] ?? 0 }),
};

const start = (line) => {
  settings = JSON.parse(line);
  const below = settings.realm ? `/realms/${settings.realm}` : '';
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, issuer);
    requests[pathname] = (requests[pathname] ?? 0) + 1;
    if (pathname.startsWith('/interaction/')) {
      interact(request, response).catch((error) => {
        console.error(error);
        response.writeHead(500).end();
      });
    } else if (pathname.startsWith(`${below}/`)) {
      request.originalUrl = request.url;
      request.url = request.url.slice(below.length);
      provider.callback()(request, response);
    } else {
      response.writeHead(404).end();
    }
  });
  server.listen(settings.port, '127.0.0.1', () => {
    issuer = `http://127.0.0.1:${server.address().port}${below}`;
    answer({ issuer, ...replaceKeys(settings.keys ?? makeKeys()) });
  });
};

const lines = createInterface({ input: process.stdin });
lines.once('line', (first) => {
  start(first);
  lines.on('line', (line) => {
    const [name, argument] = JSON.parse(line);
    answer(commands[name](argument));
  });
});
lines.on('close', () => process.exit());
