// A client that knows the URL of an MCP server and nothing else: the official SDK. What happens is printed, a line of JSON for each step.
// It speaks revision 2026-07-28 and no other one, or with MCP_LEGACY=1 the last one that had a handshake.
//
// Its user logs in at the provider without a browser: the provider of the tests asks for no password.
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';

const server = new URL(process.env.MCP_SERVER);
const redirectUrl = 'http://127.0.0.1/callback';
const say = (what) => console.log(JSON.stringify(what));

let tokens, verifier, authorization, discovery;
const authProvider = {
  redirectUrl,
  clientMetadata: { client_name: 'A client of the tests', redirect_uris: [redirectUrl] },
  clientInformation: () => ({ client_id: 'mcp-client' }),
  tokens: () => tokens,
  saveTokens: (saved) => { tokens = saved; },
  codeVerifier: () => verifier,
  saveCodeVerifier: (saved) => { verifier = saved; },
  // Which provider the user was sent to, so that no other one's answer is taken.
  saveDiscoveryState: (found) => { discovery = found; },
  discoveryState: () => discovery,
  redirectToAuthorization: (url) => { authorization = url; },
};

// Follows redirects as a browser does, up to the one that leads back to the client, and returns what it says: the code, and the
// provider that issued it (RFC 9207).
const logIn = async (start) => {
  const cookies = new Map();
  let url = new URL(start);
  url.searchParams.set('login_hint', 'alice');
  for (let turns = 0; turns < 10; turns += 1) {
    if (url.href.startsWith(redirectUrl)) {
      if (!url.searchParams.has('code')) throw new Error(`the provider answered without a code: ${url}`);
      return url.searchParams;
    }
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const set of answer.headers.getSetCookie()) {
      const [, name, value] = set.match(/^([^=]+)=([^;]*)/);
      cookies.set(name, value);
    }
    const location = answer.headers.get('location');
    if (!location) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
    url = new URL(location, url);
  }
  throw new Error('too many redirects');
};

// Runs what needs an authorization that the client does not have yet, and says where the SDK sends its user, and for what.
const needsAuthorization = async (step, run) => {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    const { origin, searchParams } = authorization;
    say({ step, provider: origin, scope: searchParams.get('scope'), resource: searchParams.get('resource') });
    return;
  }
  throw new Error(`${step} needed no authorization`);
};

const text = (result) => result.content[0].text;
let client, transport;
const connect = () => {
  const mode = process.env.MCP_LEGACY ? 'legacy' : { pin: '2026-07-28' };
  client = new Client({ name: 'client-of-the-tests', version: '1.0.0' }, { versionNegotiation: { mode } });
  transport = new StreamableHTTPClientTransport(server, { authProvider });
  return client.connect(transport);
};

await needsAuthorization('connect', connect);
await transport.finishAuth(await logIn(authorization));
await connect();
say({ step: 'connected', revision: client.getNegotiatedProtocolVersion() });
const { tools } = await client.listTools();
say({ step: 'tools', names: tools.map((tool) => tool.name).sort() });
const list = () => client.callTool({ name: 'list_notes', arguments: {} });
const add = () => client.callTool({ name: 'add_note', arguments: { text: 'buy milk' } });
say({ step: 'list_notes', text: text(await list()) });
await needsAuthorization('add_note', add);
say({ step: 'list_notes', text: text(await list()) });
await transport.finishAuth(await logIn(authorization));
say({ step: 'add_note', text: text(await add()) });
say({ step: 'list_notes', text: text(await list()) });
await client.close();
