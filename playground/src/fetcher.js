/**
 * Makes GraphiQL's fetcher for one session. `onAnswer` learns after each request whether the server refused the token.
 */
export function createFetcher({ token, tenant }, onAnswer) {
  return async (request, { headers } = {}) => {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: {
        accept: 'application/graphql-response+json, application/json',
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
        ...(tenant && { 'x-tenant': tenant }),
        ...headers,
      },
      body: JSON.stringify(request),
    });
    const result = await read(response);
    onAnswer({ refused: response.status === 401 || isUnauthenticated(result) });
    return result;
  };
}

/** Whatever stands between page and server may answer something else than JSON; that is shown as an error too. */
async function read(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { errors: [{ message: `The server answered ${response.status}: ${text.slice(0, 500) || 'nothing'}` }] };
  }
}

const isUnauthenticated = ({ errors }) => errors?.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED') ?? false;
