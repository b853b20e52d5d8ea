/** The page: a query, and the pictures in the order of the answer. */

import type { Answer, Question } from './messages.ts';

const names = [
  ...['green-triangle-at-night', 'yellow-triangle-at-night', 'two-green-triangles-at-night'],
  ...['green-moon-at-night', 'orange-ball-at-night', 'green-triangle-in-the-snow'],
  ...['blue-triangle-in-the-snow', 'green-star-in-the-snow', 'blue-triangle-in-the-sky'],
  ...['yellow-triangle-in-the-sky', 'purple-diamonds-on-a-beach', 'red-diamonds-on-a-beach'],
  ...['diamond-and-ball-on-a-beach', 'diamonds-and-ball-on-a-beach', 'stars-and-ball-on-a-beach'],
  'crosses-and-ball-on-water',
];
const addressOf = (path: string): string => new URL(path, document.baseURI).href;
const pictures = names.map((name) => addressOf(`pictures/${name}.png`));

const form = document.querySelector<HTMLFormElement>('#query')!;
const reference = document.querySelector<HTMLImageElement>('#reference img')!;
const file = document.querySelector<HTMLInputElement>('#reference input')!;
const words = document.querySelector<HTMLInputElement>('#words input')!;
const status = document.querySelector<HTMLElement>('#status')!;
const results = document.querySelector<HTMLElement>('#results')!;

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const tell = (question: Question): void => worker.postMessage(question);

let picture: Blob;

async function start(): Promise<void> {
  picture = await (await fetch(pictures[0]!)).blob();
  reference.src = pictures[0]!;
  show(pictures.map((_, row) => ({ row })));
  tell({ kind: 'open', model: addressOf('mini/'), pictures });
}

function ask(): void {
  status.textContent = 'Searching…';
  tell({ kind: 'ask', picture, text: words.value });
}

function show(ranked: readonly { readonly row: number; readonly score?: number }[]): void {
  results.replaceChildren(
    ...ranked.map(({ row, score }) => {
      const button = document.createElement('button');
      const image = new Image();
      image.src = pictures[row]!;
      image.alt = names[row]!.replaceAll('-', ' ');
      button.title = 'Start from this picture';
      button.append(image, score === undefined ? '' : score.toFixed(2));
      button.onclick = async () => choose(await (await fetch(image.src)).blob());
      const item = document.createElement('li');
      item.append(button);
      return item;
    }),
  );
}

function choose(chosen: Blob): void {
  URL.revokeObjectURL(reference.src);
  picture = chosen;
  reference.src = URL.createObjectURL(chosen);
  ask();
}

worker.onmessage = ({ data }: MessageEvent<Answer>) => {
  if (data.kind === 'ready') return ask();
  if (data.kind === 'failed') {
    status.textContent = data.message;
    return;
  }
  const milliseconds = Object.values(data.query.timings).reduce((sum, time) => sum + time);
  status.textContent = `${data.query.prompt}, where $ is your picture: composed in ${milliseconds.toFixed(0)} ms`;
  show(data.ranked);
};
worker.onerror = ({ message }) => {
  status.textContent = `The worker could not start: ${message}`;
};
form.onsubmit = (event) => {
  event.preventDefault();
  ask();
};
file.onchange = () => {
  if (file.files?.[0]) choose(file.files[0]);
};

await start();
