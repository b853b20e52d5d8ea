/** How the report looks: light or dark as the reader's system is, on paper light. */

export const reportStyle = `
:root {
  color-scheme: light dark;
  --paper: #fbfbf9; --card: #ffffff; --ink: #1d2129; --muted: #6a7080; --line: #e4e5e8;
  --phi: #2a62b8; --ema: #b8621b; --good: #2b7a4b; --warn: #a15c07;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14161a; --card: #1b1e24; --ink: #e3e5ea; --muted: #9097a6; --line: #2c3038;
    --phi: #7fb0f5; --ema: #eda368; --good: #7cc99b; --warn: #e5b567;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1008px; margin: 0 auto; padding: 40px 24px 32px; }
h1 { margin: 0 0 4px; font-size: 26px; line-height: 1.25; font-weight: 650; overflow-wrap: anywhere; }
h2 { margin: 0 0 12px; font-size: 17px; font-weight: 600; overflow-wrap: anywhere; }
p { margin: 0 0 12px; color: var(--muted); }
section { margin-top: 36px; }
dl, dd, figure { margin: 0; }
dt { color: var(--muted); font-size: 13px; }

.status { margin-right: 10px; padding: 1px 9px 2px; border-radius: 10px; border: 1px solid; font-size: 13px; }
.progress { height: 4px; border-radius: 2px; background: var(--line); overflow: hidden; }
.progress div { height: 100%; background: currentcolor; }
.running { color: var(--phi); }
.finished { color: var(--good); }
.interrupted { color: var(--warn); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 16px 24px; margin-top: 20px; }
.tiles dd { font-size: 22px; line-height: 1.3; font-weight: 550; }
.settings {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 10px 24px;
  padding: 16px 18px; background: var(--card); border: 1px solid var(--line); border-radius: 8px;
}
.settings dd { overflow-wrap: anywhere; }

.row { display: grid; grid-template-columns: repeat(auto-fill, minmax(270px, 1fr)); gap: 14px; }
figure {
  padding: 12px 14px 8px; overflow-x: auto; break-inside: avoid;
  background: var(--card); border: 1px solid var(--line); border-radius: 8px;
}
figure.large { margin-bottom: 14px; }
figure.large svg.chart { min-width: 620px; }
figcaption { display: flex; flex-wrap: wrap; gap: 0 16px; margin-bottom: 6px; font-size: 14px; font-weight: 550; overflow-wrap: anywhere; }
.keys { display: flex; gap: 14px; margin-left: auto; color: var(--muted); font-weight: 400; font-size: 13px; }
.key::before { content: ""; display: inline-block; width: 16px; height: 0; margin-right: 6px; vertical-align: 4px; border-top: 2px solid var(--style); }
.key.noise::before { opacity: .35; }
.note, .empty { margin: 6px 0; font-size: 13px; }
.empty { padding: 28px 0; text-align: center; }

.phi { --style: var(--phi); }
.ema { --style: var(--ema); }
svg { display: block; }
svg.chart { width: 100%; height: auto; }
svg text { font-size: 11.5px; fill: var(--muted); }
.grid { stroke: var(--line); stroke-width: 1; }
.line { fill: none; stroke: var(--style); stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
path.noise { fill: var(--style); stroke: var(--style); stroke-width: 1; stroke-linejoin: round; opacity: .26; }
.dot { fill: var(--style); }
circle.best { fill: none; stroke: var(--style); stroke-width: 1.6; }

.table { margin-top: 16px; overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; }
th, td { padding: 5px 14px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { color: var(--muted); font-weight: 500; border-bottom-color: var(--muted); }
th:nth-child(2), td:nth-child(2) { text-align: left; }
tr.best td { font-weight: 650; }
footer { margin-top: 40px; color: var(--muted); font-size: 13px; }

@media print {
  :root { --paper: #ffffff; }
  body { font-size: 12px; }
  main { max-width: none; padding: 0; }
  h2 { break-after: avoid; }
  section { margin-top: 24px; }
  .progress { print-color-adjust: exact; }
  .row { grid-template-columns: repeat(3, 1fr); gap: 8px; }
  figure { padding: 8px; }
  tr { break-inside: avoid; }
}
`;
