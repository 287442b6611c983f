// Runs the documents of this folder in order: VEXT_TOKEN=… node run.mjs <server>, such as http://127.0.0.1:8080
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [server, ...rest] = process.argv.slice(2);
const token = process.env.VEXT_TOKEN;
if (!server || rest.length > 0 || !token) {
  console.error('usage: VEXT_TOKEN=<token for all tenants with the scope write> node run.mjs <server>');
  process.exit(2);
}

const endpoint = new URL('/graphql', server);
const folder = import.meta.dirname;
/** The ids of what has been made, by alias. */
const ids = {};
let tenant;

async function run(query) {
  const variables = Object.fromEntries([...query.matchAll(/\$(\w+): ID!/g)].map(([, alias]) => [alias, ids[alias]]));
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  if (tenant) {
    headers['x-tenant'] = tenant;
  }
  const response = await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  if (errors) {
    throw new Error(errors.map(({ message }) => message).join('\n'));
  }
  for (const [alias, payload] of Object.entries(data)) {
    if (payload.userErrors.length > 0) {
      throw new Error(payload.userErrors.map(({ message }) => `${alias}: ${message}`).join('\n'));
    }
    const [made] = Object.values(payload);
    ids[alias] = made.id;
    tenant ??= made.code;
  }
  return Object.keys(data).length;
}

const documents = readdirSync(folder).filter((file) => file.endsWith('.graphql'));
for (const file of documents.sort()) {
  try {
    const made = await run(readFileSync(join(folder, file), 'utf8'));
    console.log(`${file}: ${made}`);
  } catch (error) {
    console.error(`${file}: ${error.message}`);
    process.exit(1);
  }
}
