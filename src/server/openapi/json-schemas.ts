/** zod schemas as JSON Schema, where those with a name refer to each other by it. */

import { z } from 'zod';
import * as api from '../../api/index.ts';

type Json = Record<string, unknown>;

export const reference = (name: string) => `#/components/schemas/${name}`;

/** The schemas of the API that have a name. */
const named = Object.values(api).flatMap((value) => {
  const name = value instanceof z.ZodType ? value.meta()?.id : undefined;
  return name === undefined ? [] : [[name, value as z.ZodType] as const];
});

export class JsonSchemas {
  readonly #named = converted(named);

  named(): Json {
    return this.#named;
  }

  /** A schema, or a reference to it if it has a name. */
  of(schema: z.ZodType): Json {
    const name = schema.meta()?.id;
    if (name !== undefined && name in this.#named) return { $ref: reference(name) };
    return converted([...named, ['it', schema]]).it!;
  }

  /** A schema itself, even if it has a name. */
  whole(schema: z.ZodType): Json {
    return this.#named[schema.meta()?.id ?? ''] ?? this.of(schema);
  }
}

function converted(schemas: readonly (readonly [name: string, schema: z.ZodType])[]): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of schemas) registry.add(schema, { id });
  const all = z.toJSONSchema(registry, { io: 'input', uri: reference }).schemas as Record<string, Json>;
  return Object.fromEntries(Object.entries(all).map(([name, { $schema, $id, id, ...rest }]) => [name, rest]));
}
