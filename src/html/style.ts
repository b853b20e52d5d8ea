/** The style of all pages: light or dark like the reader's system, light on paper. Each page adds its own rules. */

export const baseStyle = `
:root {
  color-scheme: light dark;
  --paper: #fbfbf9; --card: #ffffff; --mat: #f1f1ee; --ink: #1d2129; --muted: #646a79; --line: #e4e5e8; --edge: rgb(0 0 0 / .09);
  --accent: #2a62b8; --right: #1f7a48; --on-right: #ffffff; --warn: #8f4d00;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14161a; --card: #1a1d22; --mat: #22262d; --ink: #e3e5ea; --muted: #9aa1b0; --line: #2c3038; --edge: rgb(255 255 255 / .1);
    --accent: #7fb0f5; --right: #6cc493; --on-right: #0d1b13; --warn: #f0c27a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1440px; margin: 0 auto; padding: clamp(20px, 4vw, 48px) clamp(16px, 4vw, 56px) 32px; }
h1, h2, h3, h4, p, ol, ul, dl, dd, figure { margin: 0; padding: 0; }
ol, ul { list-style: none; }
bdi { unicode-bidi: isolate; overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 6px; }

h1 { font-size: clamp(25px, 1.3em + 1.5vw, 38px); line-height: 1.2; font-weight: 650; letter-spacing: -.016em; overflow-wrap: anywhere; }
h2 { margin-bottom: 14px; font-size: 20px; line-height: 1.3; font-weight: 620; letter-spacing: -.008em; overflow-wrap: anywhere; }
h4 { color: var(--muted); font-size: 12px; font-weight: 400; }
section { margin-top: 40px; }
dt { color: var(--muted); font-size: 12px; }
.lead { margin-top: 8px; font-size: 16px; }
.facts { display: flex; flex-wrap: wrap; gap: 8px 32px; margin-top: 18px; font-size: 13px; }
.settings { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 230px), 1fr)); gap: 12px 28px; }
.note { max-width: 82ch; margin-top: 10px; color: var(--muted); font-size: 13px; }
.empty { padding: 48px 0; color: var(--muted); text-align: center; }
footer { margin-top: 44px; color: var(--muted); font-size: 12.5px; }

.scroll { max-width: 100%; width: fit-content; overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
table { border-collapse: collapse; }
th, td { padding: 10px 16px; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
th:first-child { position: sticky; left: 0; z-index: 1; text-align: left; background: var(--card); }
thead th { padding-block: 8px; color: var(--muted); font-weight: 500; white-space: nowrap; }
tbody th { font-weight: 550; }

@media print {
  * { print-color-adjust: exact; }
  :root { --paper: #ffffff; }
  main { max-width: none; padding: 0; }
  section { margin-top: 22px; }
  h2 { break-after: avoid; }
  tr, figure, article { break-inside: avoid; }
  .scroll { max-width: none; overflow: visible; }
}
`;
