/** Which tokens begin and end every text: what a `tokenizer.json` calls its post-processor. */

import { z } from 'zod';
import { LincirError, shortJson } from '../../core/index.ts';

export interface TextEnds {
  readonly start: number | undefined;
  readonly end: number | undefined;
}

const id = z.int().nonnegative();
const ends = z.tuple([z.string(), id]);
const schema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('Sequence'), processors: z.array(z.unknown()) }),
  z.looseObject({ type: z.literal('ByteLevel') }),
  z.looseObject({ type: z.enum(['BertProcessing', 'RobertaProcessing']), cls: ends, sep: ends }),
  z.looseObject({
    type: z.literal('TemplateProcessing'),
    single: z.array(
      z.union([
        z
          .strictObject({ SpecialToken: z.looseObject({ id: z.string() }) })
          .transform(({ SpecialToken }) => ({ name: SpecialToken.id })),
        z
          .strictObject({ Sequence: z.looseObject({ id: z.literal('A') }) })
          .transform(() => ({ isText: true })),
      ]),
    ),
    special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(id) })),
  }),
]);

/**
 * Reads the tokens around a single text.
 * @throws LincirError 'bad-file' naming `subject` for more than one on a side
 */
export function textEnds(description: unknown, subject: string): TextEnds {
  if (description === null) return { start: undefined, end: undefined };
  const { data: found } = schema.safeParse(description);
  switch (found?.type) {
    case 'Sequence': {
      const parts = found.processors.map((part) => textEnds(part, subject));
      return (
        parts.findLast(({ start, end }) => start !== undefined || end !== undefined) ??
        textEnds(null, subject)
      );
    }
    case 'ByteLevel':
      return textEnds(null, subject);
    case 'BertProcessing':
    case 'RobertaProcessing':
      return { start: found.cls[1], end: found.sep[1] };
    case 'TemplateProcessing': {
      const at = found.single.findIndex((part) => 'isText' in part);
      const [before, after] = [found.single.slice(0, at), found.single.slice(at + 1)].map((parts) =>
        parts.flatMap((part) => ('name' in part ? (found.special_tokens[part.name]?.ids ?? []) : [])),
      ) as [number[], number[]];
      if (at >= 0 && before.length <= 1 && after.length <= 1) return { start: before[0], end: after[0] };
    }
  }
  throw new LincirError('bad-file', {
    subject,
    expected: 'at most one token before and one after a text',
    found: shortJson(description),
    todo: 'choose another model',
  });
}
