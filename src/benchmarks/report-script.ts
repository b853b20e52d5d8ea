/** What the report's script does: it sorts the queries and hides those that are not looked for. */

import { createHash } from 'node:crypto';

/** Without it all queries stand there, and methods are still switched. */
export const reportScript = `
'use strict';
const list = document.querySelector('.queries');
const cards = [...list.children];
const values = cards.map((card) => card.dataset.values.split(' ').map(Number));
const words = cards.map((card) => card.querySelector('.words').textContent.toLowerCase());
const [sort, group, text] = ['sort', 'group', 'text'].map((id) => document.getElementById(id));
const count = document.getElementById('count');

function arrange() {
  const [method, base, sign] = sort.value.split(' ').map(Number);
  const key = (at) => sign * (values[at][method] - (base < 0 ? 0 : values[at][base]));
  const order = cards.map((_, at) => at);
  if (sign < 0) order.reverse();
  if (sign === 0) order.sort((a, b) => cards[a].dataset.at - cards[b].dataset.at);
  else order.sort((a, b) => key(b) - key(a));
  list.append(...order.map((at) => cards[at]));
}

function filter() {
  const wanted = text.value.toLowerCase().split(/\\s+/).filter((word) => word !== '');
  let shown = 0;
  cards.forEach((card, at) => {
    const isIn = group === null || group.value === '' || card.dataset.groups.split(' ').includes(group.value);
    card.hidden = !(isIn && wanted.every((word) => words[at].includes(word)));
    if (!card.hidden) shown += 1;
  });
  count.textContent = shown + ' of ' + cards.length + ' shown';
}

sort.addEventListener('change', arrange);
if (group !== null) group.addEventListener('change', filter);
text.addEventListener('input', filter);
arrange();
filter();
document.querySelector('.filters').hidden = false;
`;

/** What the page's policy allows to run. */
export const reportScriptHash = `sha256-${createHash('sha256').update(reportScript).digest('base64')}`;
