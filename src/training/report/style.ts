/** The report's additions to the style of all pages: charts, progress, figures as tiles. */

export const reportStyle = `
:root { --ema: #b8621b; }
@media screen and (prefers-color-scheme: dark) { :root { --ema: #eda368; } }
main { max-width: 1104px; }
header p { margin: 6px 0 12px; color: var(--muted); }
.status { margin-right: 10px; padding: 1px 9px 2px; border-radius: 10px; border: 1px solid; font-size: 13px; }
.progress { height: 4px; border-radius: 2px; background: var(--line); overflow: hidden; }
.progress div { height: 100%; background: currentcolor; }
.running { color: var(--accent); }
.finished { color: var(--right); }
.interrupted { color: var(--warn); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 16px 24px; margin-top: 20px; }
.tiles dd { font-size: 22px; line-height: 1.3; font-weight: 550; }
.settings, figure { padding: 12px 16px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
section > .note { margin: -6px 0 14px; }

.row { display: grid; grid-template-columns: repeat(auto-fill, minmax(270px, 1fr)); gap: 14px; }
figure { padding-bottom: 8px; overflow-x: auto; }
figure.large { margin-bottom: 14px; }
figure.large svg.chart { min-width: 620px; }
figcaption { display: flex; flex-wrap: wrap; gap: 0 16px; margin-bottom: 6px; font-weight: 550; overflow-wrap: anywhere; }
.keys { display: flex; gap: 14px; margin-left: auto; color: var(--muted); font-weight: 400; font-size: 13px; }
.key::before { content: ""; display: inline-block; width: 16px; height: 0; margin-right: 6px; vertical-align: 4px; border-top: 2px solid var(--style); }
.key.noise::before { opacity: .35; }
figure .empty { padding: 28px 0; }

.phi { --style: var(--accent); }
.ema { --style: var(--ema); }
svg { display: block; }
svg.chart { width: 100%; height: auto; }
svg text { font-size: 11.5px; fill: var(--muted); }
.grid { stroke: var(--line); stroke-width: 1; }
.line { fill: none; stroke: var(--style); stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
path.noise { fill: var(--style); stroke: var(--style); stroke-width: 1; stroke-linejoin: round; opacity: .26; }
.dot { fill: var(--style); }
circle.best { fill: none; stroke: var(--style); stroke-width: 1.6; }

.scroll { margin-top: 14px; }
.scroll + .note { margin-top: 8px; }
th, td { padding-block: 5px; white-space: nowrap; }
:is(th, td):nth-child(2) { text-align: left; }
tr.best td { font-weight: 650; }

@media print {
  body { font-size: 12px; }
  .row { grid-template-columns: repeat(3, 1fr); gap: 8px; }
  figure { padding: 8px; }
}
`;
