// A client that knows the URL of an MCP server and nothing else: the official SDK. What happens is printed, a line of JSON for each step.
//
// Its user logs in at the provider without a browser: the provider of the tests asks for no password.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const server = new URL(process.env.MCP_SERVER);
const redirectUrl = 'http://127.0.0.1/callback';
const say = (what) => console.log(JSON.stringify(what));

let tokens, verifier, authorization;
const authProvider = {
  redirectUrl,
  clientMetadata: { client_name: 'A client of the tests', redirect_uris: [redirectUrl] },
  clientInformation: () => ({ client_id: 'mcp-client' }),
  tokens: () => tokens,
  saveTokens: (saved) => { tokens = saved; },
  codeVerifier: () => verifier,
  saveCodeVerifier: (saved) => { verifier = saved; },
  redirectToAuthorization: (url) => { authorization = url; },
};

// Follows redirects as a browser does, up to the one that leads back to the client, and returns the code that it has.
const logIn = async (start) => {
  const cookies = new Map();
  let url = new URL(start);
  url.searchParams.set('login_hint', 'alice');
  for (let turns = 0; turns < 10; turns += 1) {
    if (url.href.startsWith(redirectUrl)) {
      const code = url.searchParams.get('code');
      if (!code) throw new Error(`the provider answered without a code: ${url}`);
      return code;
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
  client = new Client({ name: 'client-of-the-tests', version: '1.0.0' });
  transport = new StreamableHTTPClientTransport(server, { authProvider });
  return client.connect(transport);
};

await needsAuthorization('connect', connect);
await transport.finishAuth(await logIn(authorization));
await connect();
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
