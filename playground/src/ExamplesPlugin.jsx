import { formatShortcutForOS, KEY_MAP, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { examples, groups } from './examples.js';

export const EXAMPLES_PLUGIN = { title: 'Examples', icon: ExamplesIcon, content: Examples };

function Examples() {
  const editors = useGraphiQL(({ queryEditor, variableEditor, responseEditor }) => ({
    queryEditor,
    variableEditor,
    responseEditor,
  }));
  const currentQuery = useGraphiQL(({ tabs, activeTabIndex }) => tabs[activeTabIndex].query);
  const { addTab } = useGraphiQLActions();

  function open({ query, variables }) {
    // An unchanged example is replaced by the next one. If the user wrote something, the example opens in a new tab.
    const written = editors.queryEditor.getValue();
    if (written.trim() && !examples.some((example) => example.query === written)) {
      addTab();
    }
    editors.queryEditor.setValue(query);
    editors.queryEditor.setScrollPosition({ scrollTop: 0, scrollLeft: 0 });
    editors.variableEditor.setValue(variables);
    editors.responseEditor.setValue('');
    editors.queryEditor.focus();
  }

  return (
    <section className="examples" aria-label="Examples">
      <h2>Examples</h2>
      <p>Pick one, then press {formatShortcutForOS(KEY_MAP.runQuery.key)} to run it.</p>
      {groups.map(([group, members]) => (
        <section key={group} aria-label={group}>
          <h3>{group}</h3>
          <ul>
            {members.map((example) => (
              <li key={example.title}>
                <button
                  type="button"
                  aria-current={example.query === currentQuery}
                  disabled={!editors.queryEditor}
                  onClick={() => open(example)}
                >
                  <strong>{example.title}</strong>
                  <span>{example.description}</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </section>
  );
}

function ExamplesIcon(props) {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round" {...props}>
      <path d="M3 5.5C5 4 9 4 12 6v14c-3-2-7-2-9-.5z" />
      <path d="M21 5.5C19 4 15 4 12 6v14c3-2 7-2 9-.5z" />
    </svg>
  );
}
