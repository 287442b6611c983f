import { useId, useState } from 'react';

/**
 * The token and the tenant of requests. A change takes effect when the field loses focus or Enter is pressed, and not at
 * every key, because each change makes GraphiQL read the schema again.
 */
export function TopBar({ config, session, refused, onChange }) {
  return (
    // The class brings GraphiQL's colours, light and dark.
    <header className="topbar graphiql-container">
      <h1>
        <b>vext</b> playground <small>{config.version}</small>
      </h1>
      <TokenField
        token={session.token}
        demoToken={config.demoToken}
        refused={refused}
        onChange={(token) => onChange({ ...session, token })}
      />
      <TenantField
        tenant={session.tenant}
        tenants={config.tenants}
        onChange={(tenant) => onChange({ ...session, tenant })}
      />
    </header>
  );
}

function TokenField({ token, demoToken, refused, onChange }) {
  const [shown, setShown] = useState(false);
  const id = useId();
  const hint = useId();
  return (
    <div className="field" role="group">
      <label htmlFor={id}>Token</label>
      <CommittedInput
        id={id}
        className="token"
        type={shown ? 'text' : 'password'}
        value={token}
        placeholder="Paste a bearer token"
        aria-invalid={refused}
        aria-describedby={hint}
        onCommit={onChange}
      />
      <button type="button" aria-pressed={shown} onClick={() => setShown(!shown)}>
        {shown ? 'Hide' : 'Show'}
        <span className="unseen"> token</span>
      </button>
      <p id={hint} className="hint" role="alert">
        {refused && (token ? 'The server refused this token.' : 'This server asks for a token.')}
        {refused && demoToken && token !== demoToken && (
          <button type="button" onClick={() => onChange(demoToken)}>
            Use the demo token
          </button>
        )}
      </p>
    </div>
  );
}

function TenantField({ tenant, tenants, onChange }) {
  const id = useId();
  const list = useId();
  return (
    <div className="field" role="group">
      <label htmlFor={id}>Tenant</label>
      <CommittedInput id={id} list={list} value={tenant} placeholder="The token’s own" onCommit={onChange} />
      <datalist id={list}>
        {tenants.map((code) => (
          <option key={code} value={code} />
        ))}
      </datalist>
    </div>
  );
}

function CommittedInput({ value, onCommit, ...props }) {
  const commit = ({ target }) => {
    const next = target.value.trim();
    if (next !== value) {
      onCommit(next);
    }
  };
  return (
    <input
      // A value that is set elsewhere, such as the demo token, replaces the content of the field.
      key={value}
      defaultValue={value}
      autoComplete="off"
      spellCheck={false}
      onBlur={commit}
      onKeyDown={(event) => event.key === 'Enter' && commit(event)}
      {...props}
    />
  );
}
