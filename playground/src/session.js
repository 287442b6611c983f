// Token and tenant are kept in sessionStorage, so they are gone when the browser tab is closed.
const KEY = 'vext';

export function openSession({ demoToken }) {
  const { token = demoToken ?? '', tenant = '' } = JSON.parse(sessionStorage.getItem(KEY)) ?? {};
  return { token, tenant };
}

// A demo token is never stored: a restarted demo server has another one, which the page must then use.
export function keepSession({ token, tenant }, { demoToken }) {
  sessionStorage.setItem(KEY, JSON.stringify({ token: token === demoToken ? undefined : token, tenant }));
}
