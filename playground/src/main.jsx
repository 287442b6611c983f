import './workers.js';
import './style.css';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { GraphiQL } from 'graphiql';
import { useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { EXAMPLES_PLUGIN } from './ExamplesPlugin.jsx';
import { examples } from './examples.js';
import { createFetcher } from './fetcher.js';
import { keepSession, openSession } from './session.js';
import { TopBar } from './TopBar.jsx';

const PLUGINS = [EXAMPLES_PLUGIN, explorerPlugin(), HISTORY_PLUGIN];

function Playground({ config }) {
  const [session, setSession] = useState(() => openSession(config));
  const [refused, setRefused] = useState(false);
  const fetcher = useMemo(() => createFetcher(session, (answer) => setRefused(answer.refused)), [session]);

  function change(next) {
    keepSession(next, config);
    setSession(next);
  }

  return (
    <>
      <TopBar config={config} session={session} refused={refused} onChange={change} />
      <main>
        <GraphiQL
          fetcher={fetcher}
          plugins={PLUGINS}
          visiblePlugin={EXAMPLES_PLUGIN}
          defaultTabs={[examples[0]]}
          defaultEditorToolsVisibility="variables"
          inputValueDeprecation
          schemaDescription
        >
          <GraphiQL.Logo>{null}</GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  );
}

const config = await fetch(`${import.meta.env.BASE_URL}config.json`).then((response) => response.json());
createRoot(document.getElementById('root')).render(<Playground config={config} />);
