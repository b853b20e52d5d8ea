/** A dialog that puts a scene together: its place, and one to three things, each a sentence of choices. */

import { useMemo, useState } from 'preact/hooks';
import {
  type Attribute,
  attributes,
  backgrounds,
  isPossible,
  type Scene,
  type SceneObject,
  sampleScene,
} from '../../../../src/mini/portable.ts';
import { Dialog } from '../../../src/dialog.tsx';
import { Icon } from '../../../src/icons.tsx';
import { grounds, places, plural } from '../describe.ts';
import { Drawing } from '../drawing/drawing.tsx';
import { pixelsOf } from './pixels.ts';
import type { Reference } from './question.ts';

/** In the order of a sentence. */
const order = ['number', 'size', 'texture', 'colour', 'shape', 'position'] as const satisfies Attribute[];

export function Builder({
  scene: start,
  onUse,
  onClose,
}: {
  readonly scene: Scene | undefined;
  readonly onUse: (reference: Reference) => void;
  readonly onClose: () => void;
}) {
  const [scene, setScene] = useState(() => start ?? sampleScene(Math.random));
  const { objects } = scene;
  const addition = useMemo(() => fitting(scene), [scene]);
  const use = () => onUse({ kind: 'built', scene, pixels: pixelsOf(scene) });
  return (
    <Dialog title="Build a picture" onClose={onClose}>
      <div class="builder">
        <Drawing scene={scene} />
        <div>
          <Places
            chosen={scene.background}
            onChoose={(background) => setScene((old) => ({ ...old, background }))}
          />
          {objects.map((object, at) => (
            <fieldset class="thing" key={object.shape}>
              <legend class="hidden">Thing {at + 1}</legend>
              {order.map((attribute) => (
                <Choice
                  key={attribute}
                  attribute={attribute}
                  object={object}
                  isAllowed={(value) => isPossible(changed(scene, at, attribute, value))}
                  onChoose={(value) => setScene((old) => changed(old, at, attribute, value))}
                />
              ))}
              {objects.length > 1 && (
                <button
                  type="button"
                  class="plain square"
                  aria-label={`Remove thing ${at + 1}`}
                  onClick={() => setScene((old) => ({ ...old, objects: old.objects.toSpliced(at, 1) }))}
                >
                  <Icon name="trash" />
                </button>
              )}
            </fieldset>
          ))}
          <div class="line builder-end">
            {addition && (
              <button
                type="button"
                class="quiet"
                onClick={() => setScene((old) => ({ ...old, objects: [...old.objects, addition] }))}
              >
                <Icon name="plus" /> Another thing
              </button>
            )}
            <button type="button" class="quiet" onClick={() => setScene(sampleScene(Math.random))}>
              <Icon name="shuffle" /> Surprise me
            </button>
            <span class="space" />
            <button type="button" class="strong" onClick={use}>
              Use this picture
            </button>
          </div>
        </div>
      </div>
    </Dialog>
  );
}

export function Places({
  chosen,
  onChoose,
}: {
  readonly chosen: Scene['background'];
  readonly onChoose: (background: Scene['background']) => void;
}) {
  return (
    <fieldset class="places">
      <legend class="hidden">Place</legend>
      {backgrounds.map((background) => (
        <label key={background} title={grounds[background]}>
          <input
            type="radio"
            name="place"
            value={background}
            aria-label={grounds[background]}
            checked={background === chosen}
            onChange={() => onChoose(background)}
          />
          <Drawing scene={{ background, objects: [] }} alt="" />
        </label>
      ))}
    </fieldset>
  );
}

function Choice({
  attribute,
  object,
  isAllowed,
  onChoose,
}: {
  readonly attribute: Attribute;
  readonly object: SceneObject;
  readonly isAllowed: (value: SceneObject[Attribute]) => boolean;
  readonly onChoose: (value: SceneObject[Attribute]) => void;
}) {
  return (
    <select
      aria-label={attribute}
      value={`${object[attribute]}`}
      onChange={({ currentTarget }) => {
        const value = attributes[attribute].find((one) => `${one}` === currentTarget.value)!;
        onChoose(value);
      }}
    >
      {attributes[attribute].map((value) => (
        <option key={value} value={`${value}`} disabled={value !== object[attribute] && !isAllowed(value)}>
          {nameOf(attribute, value, object)}
        </option>
      ))}
    </select>
  );
}

function nameOf(attribute: Attribute, value: SceneObject[Attribute], { number }: SceneObject): string {
  if (attribute === 'number') return { 1: 'one', 2: 'two', 3: 'three' }[value as 1 | 2 | 3];
  if (attribute === 'position') return places[value as keyof typeof places];
  return attribute === 'shape' && number > 1 ? plural(`${value}`) : `${value}`;
}

function changed(scene: Scene, at: number, attribute: Attribute, value: SceneObject[Attribute]): Scene {
  const object = { ...scene.objects[at]!, [attribute]: value } as SceneObject;
  return { ...scene, objects: scene.objects.with(at, object) };
}

/** A thing that fits beside those of the scene; undefined if none does. */
function fitting({ background, objects }: Scene): SceneObject | undefined {
  const { colour, texture, size } = objects[0]!;
  return attributes.shape
    .flatMap((shape) =>
      attributes.position.map(
        (position): SceneObject => ({ shape, colour, texture, size, position, number: 1 }),
      ),
    )
    .find((object) => isPossible({ background, objects: [...objects, object] }));
}
