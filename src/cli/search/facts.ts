/** The whole request in words, for the page, the terminal and programs. */

import { formatCount, quoted } from '../../core/index.ts';
import type { SearchRequest, SearchResults } from '../../search/index.ts';

/** Terms and values of the request, in order. The prompt, the images, index and model are shown elsewhere. */
export function askedFacts({ request, query, phi }: SearchResults): Readonly<Record<string, string>> {
  const { without, where, minScore, unique, exact, includeReference, page, top } = request;
  const { method, weight, withoutWeight } = query;
  return {
    Method: weight === undefined ? method : `${method}, weight of the words ${weight}`,
    ...(phi !== undefined && { Phi: phi }),
    ...(without !== undefined && { Without: `${without} (weight ${withoutWeight})` }),
    ...(where !== undefined && { Filter: where }),
    ...(minScore !== undefined && { 'Score from': `${minScore}` }),
    ...(unique !== undefined && unique !== false && { Unique: uniqueText(unique) }),
    ...(includeReference && { 'The query’s own images': 'included' }),
    ...(exact && { Comparison: 'exact' }),
    ...(page > 1 && { Results: `from ${formatCount((page - 1) * top + 1)} on` }),
  };
}

/** The request in one line. */
export function askedLine(results: SearchResults): string {
  const { references, index, model } = results;
  const facts = {
    ...(references.length > 0 && { Images: references.map(labelOf).join(', ') }),
    ...askedFacts(results),
    ...{ Model: model, Index: index },
  };
  return Object.entries(facts)
    .map(
      ([term, value]) => `${term.toLowerCase()} ${quoted(value, 4096).slice(1, -1).replaceAll('\\"', '"')}`,
    )
    .join('; ');
}

/** A name of a query's image that people know: its path, if it was given by its id. */
export function labelOf({ name, id, image }: SearchResults['references'][number]): string {
  return name === id && 'path' in (image as object) ? (image as { path: string }).path : name;
}

/** The request, as `/show` prints it. */
export function requestLines(request: SearchRequest): string[] {
  const { images, text, method, weight, without, withoutWeight, where, minScore, unique, top, page } =
    request;
  const facts = {
    images: images.map((image) => (typeof image === 'string' ? image : image.name)).join(', ') || 'none',
    words: text ?? 'none',
    method: method ?? 'by what is given',
    weight,
    without,
    'without-weight': without === undefined ? undefined : withoutWeight,
    where,
    'min-score': minScore,
    unique: unique === undefined || unique === false ? undefined : uniqueText(unique),
    top,
    page,
  };
  return Object.entries(facts).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name.padEnd(14)} ${value}`],
  );
}

function uniqueText(unique: number | true): string {
  return unique === true ? 'by contents' : `by a similarity of ${unique}`;
}
