/** What the page of results adds to the style of all pages. */

export const resultsPageStyle = `
a { color: inherit; }

header {
  display: flex; flex-wrap: wrap; align-items: center; gap: 24px clamp(24px, 4vw, 48px);
  padding-bottom: clamp(24px, 3vw, 36px); margin-bottom: clamp(24px, 3vw, 36px); border-bottom: 1px solid var(--line);
}
.references { display: flex; flex-wrap: wrap; gap: 16px; max-width: 100%; }
.references figure { width: 152px; }
.references figure:only-child { width: 224px; max-width: 100%; }
.references .picture { aspect-ratio: auto; }
.references img { width: 100%; height: auto; max-height: 300px; }
figcaption { display: flex; gap: 8px; margin-top: 7px; color: var(--muted); font-size: 12.5px; }
.query { flex: 1 1 340px; min-width: 0; }
h1 { max-width: 26em; line-height: 1.36; text-wrap: balance; }
.chip {
  display: inline-block; min-width: 1.32em; height: 1.32em; padding: 0 .1em; margin: 0 .06em; vertical-align: -.27em;
  border-radius: .26em; background: var(--mat) center / cover no-repeat; box-shadow: 0 0 0 1px var(--edge);
}
.chip.pictured { width: 1.76em; }
.chip:not(.pictured) { padding: 0 .4em; color: var(--muted); font-size: .8em; line-height: 1.32; vertical-align: -.08em; }
.numbered { white-space: nowrap; }
.numbered sub { margin: 0 .12em; color: var(--muted); font-size: .48em; font-weight: 500; vertical-align: -.5em; }
.found { margin-top: 12px; color: var(--muted); font-size: 15px; }
.found strong { color: var(--ink); font-weight: 600; }

.results {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(clamp(148px, 17vw, 212px), 1fr));
  gap: clamp(22px, 2.4vw, 34px) clamp(14px, 1.8vw, 24px);
}
.results.few { grid-template-columns: repeat(auto-fill, minmax(min(100%, 264px), 320px)); }
.results li { min-width: 0; break-inside: avoid; }
.picture {
  position: relative; display: flex; align-items: center; justify-content: center; overflow: hidden;
  border-radius: 8px; background: var(--mat);
}
.results .picture { aspect-ratio: var(--ratio); }
.picture::after {
  content: ""; position: absolute; inset: 0; border-radius: inherit; box-shadow: inset 0 0 0 1px var(--edge); pointer-events: none;
}
.picture img { display: block; object-fit: contain; }
.results img { width: 100%; height: 100%; }
a.picture:hover::after { box-shadow: inset 0 0 0 2px var(--accent); }
.picture:has(.missing) { background: repeating-linear-gradient(-45deg, transparent 0 7px, var(--edge) 7px 8px), var(--mat); text-decoration: none; }
.missing { padding: 1px 10px 2px; border-radius: 10px; background: var(--paper); color: var(--muted); font-size: 12px; }
.references .picture:has(.missing) { aspect-ratio: 4 / 3; }
.marked .picture::after { box-shadow: inset 0 0 0 3px var(--right); }
.mark {
  position: absolute; z-index: 1; left: 0; bottom: 0; padding: 2px 10px 3px 9px; border-radius: 0 8px 0 8px;
  background: var(--right); color: var(--on-right); font-size: 12px; font-weight: 600;
}
.place { display: flex; align-items: baseline; justify-content: space-between; gap: 8px; margin: 8px 0 1px; }
.rank { font-size: 16px; font-weight: 650; line-height: 1.3; }
.score { color: var(--muted); font-size: 13px; }
.name {
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; overflow-wrap: anywhere;
  line-height: 1.36;
}
.folder, figcaption bdi, .details dt, .details dd { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
.folder { margin-top: 1px; color: var(--muted); font-size: 12px; }
.details { display: grid; grid-template-columns: fit-content(50%) 1fr; gap: 0 8px; margin-top: 6px; font-size: 12px; }
.details div { display: contents; }
summary { width: fit-content; margin-top: 3px; color: var(--muted); font-size: 12px; cursor: pointer; }
details .details { margin-top: 2px; }
.duplicates { margin-top: 2px; font-size: 12px; overflow-wrap: anywhere; }

@media (max-width: 480px) {
  .references figure { width: calc(50% - 8px); }
  .references:has(figure:only-child) { width: 100%; }
  .references figure:only-child { width: 216px; }
  .results.few { grid-template-columns: 1fr; }
}
@media print {
  header { flex-wrap: nowrap; }
  h1 { font-size: 22px; }
  .results, .results.few { grid-template-columns: repeat(4, 1fr); gap: 16px 12px; }
  summary { display: none; }
}
`;
