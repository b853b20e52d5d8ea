/** The page begins here: it asks the server what it has, and shows the search page or what is missing for one. */

import { render } from 'preact';
import './styles/base.css';
import './styles/composer.css';
import './styles/results.css';
import './styles/dialogs.css';
import { connect } from './back-end.ts';
import { Missing } from './missing.tsx';
import { Page } from './page.tsx';
import { useServer } from './server.ts';
import { serverBackEnd } from './server-back-end.ts';
import { applyTheme, readTheme } from './theme.ts';

connect(serverBackEnd(new URL('.', location.href).href));

function Main() {
  const { server, failure, reload } = useServer();
  const isLockedOut = failure?.status === 401;
  if (server !== undefined && server.indexes.length > 0 && !isLockedOut)
    return <Page server={server} isAway={failure?.status === 0} onReload={reload} />;
  if (server !== undefined || failure !== undefined)
    return <Missing server={server} failure={failure} onReload={reload} />;
  return <main aria-busy="true" />;
}

applyTheme(readTheme());
render(<Main />, document.getElementById('page')!);
