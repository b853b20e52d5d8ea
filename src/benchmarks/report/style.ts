/** The report's additions to the style of all pages: figures with intervals, queries with images. */

export const reportStyle = `
:root { --tint: rgb(42 98 184 / .06); --alarm: #fff3dc; }
@media screen and (prefers-color-scheme: dark) { :root { --tint: rgb(127 176 245 / .07); --alarm: #33270f; } }
small { font-size: inherit; font-weight: 400; color: var(--muted); }
.counts { color: var(--muted); }
.banner {
  width: fit-content; max-width: 100%; margin-top: 18px; padding: 11px 18px 12px; border: 1px solid; border-left-width: 5px; border-radius: 8px;
  background: var(--alarm); color: var(--warn); font-size: 16px;
}
nav { display: flex; flex-wrap: wrap; gap: 4px 22px; margin-top: 20px; padding-bottom: 16px; border-bottom: 1px solid var(--line); }
nav a { color: var(--accent); text-decoration: none; }
nav a:hover { text-decoration: underline; text-underline-offset: 3px; }
section { scroll-margin-top: 12px; }
h2 small { margin-left: 6px; font-size: 14px; letter-spacing: 0; }
.note b { color: var(--ink); font-weight: 550; }

th:first-child { min-width: 110px; }
th bdi { overflow-wrap: break-word; }
tbody th small, td small { display: block; font-size: 12px; }
.primary { background: var(--tint); }
thead .primary { color: var(--ink); font-weight: 620; }
.value { font-size: 16px; line-height: 1.35; }
.best .value { font-weight: 700; }
.figures td { min-width: 110px; white-space: nowrap; }
/* Nine metrics fit on 1,280 pixels. */
.figures :is(th, td):not(:first-child) { padding-inline: 7px; }
.figures td > span { display: block; }
.interval { position: relative; height: 8px; margin: 2px 0 1px; background: linear-gradient(var(--line), var(--line)) center / 100% 1px no-repeat; }
.interval::before, .interval::after { content: ""; position: absolute; background: var(--accent); }
.interval::before { top: 2.5px; height: 3px; left: calc(100% * var(--low)); right: calc(100% - 100% * var(--high)); border-radius: 2px; opacity: .45; }
.interval::after { top: 0; width: 2px; height: 8px; left: calc(100% * var(--at) - 1px); border-radius: 1px; }
.range { color: var(--muted); font-size: 11.5px; }
.difference { margin-top: 4px; font-size: 12.5px; }
.difference small { display: inline; font-size: 11.5px; letter-spacing: -.02em; }
.faint { color: var(--muted); }
.bars td { min-width: 112px; }
.bars th:first-child { max-width: 380px; }
.bar { display: block; width: 96px; height: 4px; margin: 3px 0 3px auto; border-radius: 2px; background: linear-gradient(90deg, var(--line), var(--line)); overflow: hidden; }
.bar::before { content: ""; display: block; height: 100%; width: calc(100% * var(--part)); background: var(--accent); opacity: .6; }
.best .bar::before { opacity: 1; }
.total > * { border-top: 1px solid var(--muted); }
.settings { margin-bottom: 20px; }
.methods th, .methods td { text-align: left; }
.methods td { text-align: left; min-width: 200px; max-width: 700px; }
.methods dl { display: grid; grid-template-columns: fit-content(40%) 1fr; gap: 2px 12px; font-size: 13px; }
.methods dl div { display: contents; }
.methods dl dt { font-size: inherit; }
dl.small { display: flex; flex-wrap: wrap; gap: 4px 24px; margin-top: 14px; font-size: 13px; }
dl.small div { display: flex; gap: 6px; align-items: baseline; }

.toolbar {
  position: sticky; top: 0; z-index: 3; display: flex; flex-wrap: wrap; align-items: flex-end; gap: 10px 28px; margin: 14px -4px 0; padding: 10px 4px 12px;
  background: var(--paper); border-bottom: 1px solid var(--line);
}
fieldset { display: flex; flex-wrap: wrap; gap: 6px; min-width: 0; margin: 0; padding: 0; border: 0; }
legend, .filters label { color: var(--muted); font-size: 12px; }
legend { margin-bottom: 3px; padding: 0; }
.choice label { position: relative; cursor: pointer; }
.choice input { position: absolute; inset: 0; margin: 0; opacity: 0; cursor: pointer; }
.choice span { display: block; padding: 4px 13px 5px; border: 1px solid var(--line); border-radius: 16px; background: var(--card); }
.choice input:checked + span { border-color: var(--accent); background: var(--accent); color: var(--paper); font-weight: 600; }
.choice input:focus-visible + span { outline: 3px solid var(--accent); outline-offset: 2px; }
.choice input:hover + span { border-color: var(--accent); }
.filters { display: flex; flex-wrap: wrap; align-items: flex-end; gap: 8px 16px; }
.filters label { display: grid; gap: 3px; min-width: 0; }
.filters select, .filters input {
  max-width: 220px; min-width: 0; height: 31px; padding: 3px 8px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: var(--ink); font: inherit; font-size: 13.5px;
}
#count { padding-bottom: 5px; color: var(--muted); font-size: 13px; }
[hidden] { display: none !important; }

.query {
  display: grid; grid-template-columns: minmax(230px, 2fr) 7fr; gap: 14px clamp(20px, 3vw, 40px);
  /* What is not seen is not drawn, and so is what leaves the box: its sides have room for shadows. */
  margin: 0 -4px; padding: 24px 4px 20px; content-visibility: auto; contain-intrinsic-size: auto 280px;
  border-bottom: 1px solid var(--line);
}
.asked { min-width: 0; }
.reference { width: 132px; margin-bottom: 10px; }
h3 { font-size: 16px; line-height: 1.36; font-weight: 600; text-wrap: pretty; }
.also, .facts, .none { margin-top: 4px; color: var(--muted); font-size: 12.5px; }
.found { min-width: 0; }
h4 { margin-bottom: 5px; }
.outcomes { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 14px; margin-bottom: 10px; color: var(--muted); font-size: 12.5px; }
.outcomes ul { display: flex; flex-wrap: wrap; gap: 4px 18px; }
.outcomes li { border-bottom: 2px solid transparent; }
.outcomes b { margin: 0 2px; font-weight: 650; color: var(--ink); }
.t {
  display: block; aspect-ratio: var(--ratio); border-radius: 6px;
  background: var(--mat) center / contain no-repeat; box-shadow: 0 0 0 1px var(--edge);
}
.t[tabindex] { cursor: zoom-in; }
.t[tabindex]:hover { box-shadow: 0 0 0 2px var(--accent); }
dialog { max-width: none; max-height: none; padding: 14px 16px 12px; border: 1px solid var(--line); border-radius: 12px; background: var(--card); color: var(--ink); }
dialog::backdrop { background: rgb(0 0 0 / .6); }
dialog .t { width: min(88vw, 76vh * var(--ratio), 720px); margin: 0 auto; border-radius: 8px; background-color: transparent; box-shadow: none; }
dialog p { max-width: min(88vw, 720px); margin: 10px 0; overflow-wrap: anywhere; }
dialog div { display: flex; flex-wrap: wrap; gap: 8px; }
dialog button { padding: 5px 14px 6px; border: 1px solid var(--line); border-radius: 8px; background: var(--paper); color: inherit; font: inherit; cursor: pointer; }
.t.missing { background: repeating-linear-gradient(-45deg, transparent 0 7px, var(--edge) 7px 8px), var(--mat); }
.tiles { display: grid; grid-template-columns: repeat(10, 1fr); gap: 8px; counter-reset: rank; }
.tiles li { min-width: 0; counter-increment: rank; text-align: center; color: var(--muted); font-size: 12px; line-height: 1.7; }
ol.tiles li::after { content: counter(rank); }
.tiles .right .t { box-shadow: 0 0 0 3px var(--right); }
ol.tiles .right::after { content: "✓ " counter(rank); color: var(--right); font-weight: 700; }
.below { display: flex; flex-wrap: wrap; gap: 8px 40px; margin-top: 8px; }
.tiles.minor { display: flex; flex-wrap: wrap; }
.tiles.minor li { width: 60px; font-size: 11.5px; }

@media (max-width: 1080px) {
  .query { grid-template-columns: 1fr; }
  .asked { display: grid; grid-template-columns: 112px 1fr; gap: 16px; }
  .reference { width: auto; margin: 0; }
}
@media (max-width: 720px) {
  .tiles { grid-template-columns: repeat(5, 1fr); }
  .toolbar { position: static; }
  .filters { width: 100%; }
  .filters label { flex: 1 1 130px; }
  .filters select, .filters input { width: 100%; max-width: none; }
  th, td { padding-inline: 11px; }
  th:first-child { min-width: 86px; }
}
@media print {
  body { font-size: 11px; }
  nav, .toolbar { display: none; }
  .note, .lead, dl.small, .methods dl { font-size: 11px; }
  dt, tbody th small, td small { font-size: 9px; }
  th, td { padding: 4px 6px; }
  .figures td, .bars td, .methods td { min-width: 0; }
  .value { font-size: 12px; }
  .range, .difference, .difference small { font-size: 8.5px; }
  .query { grid-template-columns: 150px 1fr; gap: 14px; padding-block: 12px; content-visibility: visible; }
  .asked { display: block; }
  .reference { width: 84px; margin-bottom: 6px; }
  h3 { font-size: 12px; }
  .tiles { grid-template-columns: repeat(10, 1fr); gap: 4px; }
  .tiles.minor li { width: 38px; font-size: 9px; }
  .outcomes, h4, .facts { font-size: 10px; }
}
`;
