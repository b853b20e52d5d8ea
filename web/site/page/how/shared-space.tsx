/** A figure: pictures above, captions at the side, and how near they are to each other. */

import { useEffect, useState } from 'preact/hooks';
import { caption } from '../../../../src/mini/portable.ts';
import { Icon } from '../../../src/icons.tsx';
import type { Picture } from '../../world/protocol.ts';
import { Drawing } from '../drawing/drawing.tsx';
import type { LiveWorld } from '../use-world.ts';

const shown = 4;

interface Table {
  readonly pictures: readonly Picture[];
  readonly captions: readonly string[];
  readonly cosines: readonly (readonly number[])[];
}

export function SharedSpace({ world }: { readonly world: LiveWorld | undefined }) {
  const [turn, setTurn] = useState(0);
  const [table, setTable] = useState<Table>();
  useEffect(() => {
    if (world === undefined) return;
    let isCurrent = true;
    void tableOf(world).then((made) => isCurrent && setTable(made));
    return () => {
      isCurrent = false;
    };
  }, [world, turn]);
  return (
    <div class="figure">
      <table class="space-table">
        <caption class="hidden">How near captions and pictures are: 1 is the same direction</caption>
        <thead>
          <tr>
            <td />
            {columns(table).map((picture, at) =>
              picture ? (
                <th key={picture.id} scope="col">
                  <Drawing {...picture} />
                </th>
              ) : (
                <td key={at}>
                  <span class="drawing" />
                </td>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {columns(table).map((picture, row) => (
            <tr key={picture?.id ?? row}>
              <th scope="row">{table?.captions[row] ?? '…'}</th>
              {columns(table).map((other, column) => (
                <Cosine key={other?.id ?? column} value={table?.cosines[column]?.[row]} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <button type="button" class="quiet" disabled={!table} onClick={() => setTurn((old) => old + 1)}>
        <Icon name="shuffle" /> Other pictures
      </button>
    </div>
  );
}

function Cosine({ value }: { readonly value: number | undefined }) {
  const part = Math.max(0, value ?? 0) ** 2;
  // Weak colours stay so weak that the number can be read.
  return (
    <td class={`cosine${part > 0.4 ? ' near' : ''}`} style={{ '--part': Math.min(0.3, part) }}>
      {value === undefined ? '' : value.toFixed(2).replace('-', '−')}
    </td>
  );
}

function columns(table: Table | undefined): readonly (Picture | undefined)[] {
  return table?.pictures ?? Array.from({ length: shown }, () => undefined);
}

/** Pictures of one thing each, whose captions are short. */
async function tableOf(world: LiveWorld): Promise<Table> {
  const simple = world.pictures.filter(({ scene, variant }) => variant === 0 && scene.objects.length === 1);
  const pictures: Picture[] = [];
  while (pictures.length < Math.min(shown, simple.length)) {
    const picture = simple[Math.floor(Math.random() * simple.length)]!;
    if (!pictures.includes(picture)) pictures.push(picture);
  }
  const captions = pictures.map(({ scene }) => shortCaption(scene));
  const cosines = await world.cosines(
    pictures.map(({ id }) => id),
    captions,
  );
  return { pictures, captions, cosines };
}

/** Of many wordings the shortest sentence; titles and lists of words read less well. */
function shortCaption(scene: Picture['scene']): string {
  const tries = Array.from({ length: 40 }, () =>
    caption(scene, Math.random, { complete: true, changed: false }),
  );
  const sentences = tries.filter((text) => /^(?:an?|one|two|three) .*\b(?:in|on|at)\b/.test(text));
  return [...sentences, ...tries]
    .slice(0, Math.max(1, sentences.length))
    .toSorted((one, other) => one.length - other.length)[0]!;
}
