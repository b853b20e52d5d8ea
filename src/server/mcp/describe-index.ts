/** The tool that tells what an index has, so that an assistant can write queries and filters. */

import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { columnFacts, type IndexAnswer } from '../../api/index.ts';
import { type Method, methods } from '../../composition/choices.ts';
import { quoted } from '../../core/index.ts';
import type { SearchService } from '../../service/index.ts';
import { indexField, shortened } from './images.ts';
import { type Answering, addTool } from './tool.ts';

const most = { columns: 40, examples: 5, value: 60 } as const;

const description = `Tell what an index of images has: how many images, which columns filters can name, with types and example values, and which methods there are; and the names of all indexes. Call it once before you write a filter, or when you do not know what the images are.`;

const filterHelp = `Compare columns with = != < <= > >=, in ('a', 'b'), like 'x%' (ilike: in any case), between … and …, is null, is not null; combine with and, or, not and parentheses. Texts stand in single quotes (a quote inside is doubled), columns with unusual names in double quotes. Times are texts such as '2024-05-01' or '2024-05-01T12:00:00Z'. Examples: folder like '%/2024' and rating >= 4; not path ilike '%.png' and camera is not null`;

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const output = z.object({
  index: z.string(),
  images: z.number().describe('How many images searches can find.'),
  model: z.string(),
  phi: z.string().optional(),
  methods: z.array(z.object({ name: z.string(), description: z.string() })),
  columns: z.array(
    columnFacts.extend({
      examples: z.array(scalar).describe('The most frequent values.'),
      least: scalar.optional(),
      greatest: scalar.optional(),
    }),
  ),
  furtherColumns: z.array(z.string()).describe('Names of columns that are not described.'),
  filterHelp: z.string().describe('How to write filters.'),
  advice: z.string().optional(),
  indexes: z.array(z.string()).describe('All indexes, the default one first.'),
});
type IndexDescription = z.infer<typeof output>;

export function addDescribeIndex(server: McpServer, answering: Answering): void {
  const input = z.strictObject({ index: indexField });
  addTool(
    server,
    'describe_index',
    {
      ...{ title: 'Describe index', description, input, output },
      call: async ({ index }, service) => {
        const structuredContent = await describeIndex(service, index);
        return { content: [{ type: 'text', text: descriptionText(structuredContent) }], structuredContent };
      },
    },
    answering,
  );
}

export async function describeIndex(service: SearchService, name?: string): Promise<IndexDescription> {
  const { columns, methods: names, images, model, phi, advice, name: index } = await service.describe(name);
  const described = await Promise.all(
    columns.slice(0, most.columns).map((one) => withExamples(service, index, one)),
  );
  return {
    ...{ index, images, model, ...(phi !== undefined && { phi }) },
    methods: names.map((one) => ({ name: one, description: methods[one as Method].description })),
    columns: described,
    furtherColumns: columns.slice(most.columns, 10 * most.columns).map((one) => one.name),
    ...{ filterHelp, ...(advice !== undefined && { advice }) },
    indexes: [...service.names],
  };
}

/** A column whose values cannot be read is still a column. */
async function withExamples(
  service: SearchService,
  index: string,
  column: IndexAnswer['columns'][number],
): Promise<IndexDescription['columns'][number]> {
  const found = await service.values(index, column.name, { limit: most.examples }).catch(() => undefined);
  if (found === undefined) return { ...column, examples: [] };
  const brief = (value: string | number | boolean | null | undefined) =>
    typeof value === 'string' ? shortened(value, most.value) : (value ?? undefined);
  const [least, greatest] = [brief(found.least), brief(found.greatest)];
  return {
    ...column,
    examples: found.values.map(({ value }) => brief(value)).filter((value) => value !== undefined),
    ...(least !== undefined && { least }),
    ...(greatest !== undefined && { greatest }),
  };
}

export function descriptionText(told: IndexDescription): string {
  const columns = told.columns.map(({ name, type, examples, least, greatest }) => {
    const range = least === undefined ? '' : `, from ${quoted(least)} to ${quoted(greatest)}`;
    const values = examples.length === 0 ? '' : `, such as ${examples.map((one) => quoted(one)).join(', ')}`;
    return `- ${quoted(name)} (${type}${range}${values})`;
  });
  return [
    `The index ${told.index} has ${told.images} images. Its model is ${told.model}; its phi is ${told.phi ?? 'none'}.`,
    ...(told.advice === undefined ? [] : [told.advice]),
    'Methods:',
    ...told.methods.map(({ name, description }) => `- ${name}: ${description}`),
    'Columns that filters can name:',
    ...columns,
    ...(told.furtherColumns.length === 0
      ? []
      : [`And: ${told.furtherColumns.map((one) => quoted(one)).join(', ')}`]),
    `Filters: ${told.filterHelp}`,
    `All indexes, the default one first: ${told.indexes.join(', ')}`,
  ].join('\n');
}
