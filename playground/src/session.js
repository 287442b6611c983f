// Token and tenant live in sessionStorage, so that they end with the browser tab.
const KEY = 'vext';

export function openSession({ demoToken }) {
  const { token = demoToken ?? '', tenant = '' } = JSON.parse(sessionStorage.getItem(KEY)) ?? {};
  return { token, tenant };
}

// A demo token is never kept: a restarted demo server has another one, and the page shall pick that up.
export function keepSession({ token, tenant }, { demoToken }) {
  sessionStorage.setItem(KEY, JSON.stringify({ token: token === demoToken ? undefined : token, tenant }));
}
