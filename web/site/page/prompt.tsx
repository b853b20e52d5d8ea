/** A sentence with pseudo tokens: each `$` as the token that it is. */

export function Prompt({ text }: { readonly text: string }) {
  return (
    <bdi class="prompt">
      {text.split('$').map((part, at) => [
        at > 0 && (
          <span key={at} class="token">
            $
          </span>
        ),
        part,
      ])}
    </bdi>
  );
}
