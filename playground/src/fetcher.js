import { getOperationAST } from 'graphql';
import { createClient } from 'graphql-sse';

const URL = '/graphql';

/**
 * Makes GraphiQL's fetcher for one session. `onAnswer` learns after each request whether the server refused the token.
 */
export function createFetcher({ token, tenant }, onAnswer) {
  const session = { ...(token && { authorization: `Bearer ${token}` }), ...(tenant && { 'x-tenant': tenant }) };
  return async (request, { documentAST, headers } = {}) => {
    if (documentAST && getOperationAST(documentAST, request.operationName)?.operation === 'subscription') {
      return follow(request, { ...session, ...headers }, onAnswer);
    }
    const response = await fetch(URL, {
      method: 'POST',
      headers: {
        accept: 'application/graphql-response+json, application/json',
        'content-type': 'application/json',
        ...session,
        ...headers,
      },
      body: JSON.stringify(request),
    });
    const result = await read(response);
    onAnswer({ refused: response.status === 401 || isUnauthenticated(result) });
    return result;
  };
}

/** The results of a subscription. It is not restarted automatically, because that would skip events in between. */
async function* follow(request, headers, onAnswer) {
  try {
    for await (const result of createClient({ url: URL, headers, retryAttempts: 0 }).iterate(request)) {
      onAnswer({ refused: isUnauthenticated(result) });
      yield result;
    }
  } catch (error) {
    onAnswer({ refused: error.response?.status === 401 });
    throw error;
  }
}

/** A proxy between page and server may answer something other than JSON; that is shown as an error too. */
async function read(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { errors: [{ message: `The server answered ${response.status}: ${text.slice(0, 500) || 'nothing'}` }] };
  }
}

const isUnauthenticated = ({ errors }) => errors?.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED') ?? false;
