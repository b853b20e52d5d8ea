/** What stands in place of the search page when the server is away, wants a key, or has no index. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { ServerAnswer } from '../../src/api/client.ts';
import { api } from './back-end.ts';
import { asFailure, type Failure } from './failure.ts';
import { Icon } from './icons.tsx';

export function Missing({
  server,
  failure,
  onReload,
}: {
  readonly server: ServerAnswer | undefined;
  readonly failure: Failure | undefined;
  readonly onReload: () => void;
}) {
  return (
    <main class="missing">
      <h1 class="brand">lincir</h1>
      {failure?.status === 401 ? (
        <SignIn onDone={onReload} />
      ) : failure ? (
        <div role="alert">
          <h2>
            {failure.code === 'unreachable' ? 'The server does not answer' : 'The server cannot search now'}
          </h2>
          <p>
            <bdi>
              {failure.code === 'unreachable'
                ? 'Is it still running? The page tries again by itself.'
                : failure.detail}
            </bdi>
          </p>
          <button type="button" class="strong" onClick={onReload}>
            Try again
          </button>
        </div>
      ) : (
        <NoIndex canIndex={server?.allows.indexing ?? false} />
      )}
    </main>
  );
}

function NoIndex({ canIndex }: { readonly canIndex: boolean }) {
  return (
    <div>
      <h2>There is no index yet</h2>
      <p>An index holds what lincir has seen in your pictures. Make one, and serve it:</p>
      <pre>
        <code>
          lincir index my-photos --index photos.lance --model large{'\n'}lincir serve --index photos.lance
          --phi lincir-large
        </code>
      </pre>
      <p>Or look around in the miniature world of drawings first, which needs no download:</p>
      <pre>
        <code>lincir serve --demo</code>
      </pre>
      {canIndex && <p>This server may also index its folders from here.</p>}
    </div>
  );
}

/** The key never becomes part of an address. The server gives a cookie for it. */
function SignIn({ onDone }: { readonly onDone: () => void }) {
  const [problem, setProblem] = useState<string>();
  const [isBusy, setIsBusy] = useState(false);
  const key = useRef<HTMLInputElement>(null);
  useEffect(() => key.current!.focus(), []);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const field = key.current!;
        setIsBusy(true);
        api
          .signIn(field.value.trim())
          .then(onDone, (error: unknown) => {
            const { status, detail } = asFailure(error);
            setProblem(status === 401 ? 'This is not the key of this server.' : detail);
            field.select();
          })
          .finally(() => setIsBusy(false));
      }}
    >
      <h2>This server has a key</h2>
      <p>Whoever runs it can tell you.</p>
      <div class="field">
        <label for="key">Key</label>
        <input
          id="key"
          name="key"
          type="password"
          autocomplete="current-password"
          required
          ref={key}
          aria-invalid={problem !== undefined}
          aria-describedby={problem ? 'key-problem' : undefined}
        />
        {problem && (
          <p id="key-problem" class="problem" role="alert">
            <Icon name="warning" /> {problem}
          </p>
        )}
      </div>
      <button type="submit" class="strong" disabled={isBusy}>
        Sign in
      </button>
    </form>
  );
}
