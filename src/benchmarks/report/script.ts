/** The report's script: sorts and filters the queries, and enlarges images. */

/** Without it, the page shows all queries and can switch methods; images stay small. */
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
const large = document.getElementById('large');
let together = [];
function enlarge(tile) {
  together = [...tile.closest('.query').querySelectorAll('.t[tabindex]')].filter((each) => each.offsetParent !== null);
  const [picture, title] = large.querySelectorAll('.t, p');
  picture.className = tile.className;
  title.textContent = tile.title;
  large.tile = tile;
  if (!large.open) large.showModal();
}
function step(by) {
  const at = together.indexOf(large.tile) + by;
  enlarge(together[(at + together.length) % together.length]);
}
for (const tile of list.querySelectorAll('.t:not(.missing)')) {
  tile.tabIndex = 0;
  tile.setAttribute('role', 'button');
  tile.setAttribute('aria-label', 'Enlarge ' + tile.title);
}
list.addEventListener('click', (event) => {
  const tile = event.target.closest('.t[tabindex]');
  if (tile !== null) enlarge(tile);
});
list.addEventListener('keydown', (event) => {
  if ((event.key !== 'Enter' && event.key !== ' ') || !event.target.matches('.t[tabindex]')) return;
  event.preventDefault();
  enlarge(event.target);
});
large.addEventListener('keydown', (event) => {
  if (event.key === 'ArrowLeft') step(-1);
  if (event.key === 'ArrowRight') step(1);
});
large.addEventListener('click', (event) => {
  if (event.target === large || event.target.matches('[data-close]')) large.close();
  const by = Number(event.target.dataset?.step ?? 0);
  if (by !== 0) step(by);
});
large.addEventListener('close', () => large.tile.focus());

arrange();
filter();
document.querySelector('.filters').hidden = false;
`;
