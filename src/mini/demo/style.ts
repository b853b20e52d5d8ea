/** How the demo's page looks: light or dark as the reader's system is. */

export const demoPageStyle = `
:root {
  color-scheme: light dark;
  --paper: #fbfbf9; --card: #ffffff; --ink: #1d2129; --muted: #646a79; --line: #e4e5e8; --right: #1f9a55;
}
@media screen and (prefers-color-scheme: dark) {
  :root { --paper: #14161a; --card: #1b1e24; --ink: #e3e5ea; --muted: #9aa1b0; --line: #2c3038; --right: #4cc083; }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums;
}
main { max-width: 1180px; margin: 0 auto; padding: clamp(20px, 4vw, 52px) clamp(16px, 4vw, 48px) 32px; }
h1, h2, h4, p, ol, dl, dd { margin: 0; padding: 0; }
h1 { font-size: clamp(28px, 1.4em + 1.6vw, 42px); line-height: 1.15; letter-spacing: -.02em; }
.lead { max-width: 46em; margin-top: 12px; font-size: 17px; text-wrap: pretty; }
dl { display: flex; flex-wrap: wrap; gap: 8px 32px; margin-top: 20px; font-size: 13px; }
dt { color: var(--muted); font-size: 12px; }
.scroll { overflow-x: auto; margin-top: 28px; }
table { border-collapse: collapse; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
th, td { padding: 7px 16px; text-align: right; border-top: 1px solid var(--line); white-space: nowrap; }
thead th, thead td { border-top: 0; color: var(--muted); font-size: 12.5px; font-weight: 500; }
th[scope=row] { text-align: left; font-weight: 500; }
td b { color: var(--right); }
h2 { margin: 40px 0 14px; font-size: 20px; letter-spacing: -.01em; }
.queries { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 500px), 1fr)); gap: 18px; }
article { padding: 16px; background: var(--card); border: 1px solid var(--line); border-radius: 14px; break-inside: avoid; }
.asked { display: flex; align-items: center; gap: 16px; }
.asked > img { width: 96px; height: 96px; border-radius: 10px; }
.asked p { font-size: 18px; line-height: 1.5; }
.chip { width: 1.5em; height: 1.5em; border-radius: 5px; vertical-align: -.4em; }
.found { margin-top: 12px; }
h4 { font-size: 12px; font-weight: 500; color: var(--muted); }
ol { display: grid; grid-template-columns: repeat(6, 1fr); gap: 8px; margin-top: 4px; list-style: none; }
li { position: relative; border-radius: 10px; }
li img { display: block; width: 100%; height: auto; border-radius: 8px; }
.right { outline: 4px solid var(--right); outline-offset: 0; }
.right::after {
  content: "✓"; position: absolute; right: 4px; bottom: 4px; width: 20px; height: 20px; border-radius: 50%;
  background: var(--right); color: #fff; font-size: 13px; line-height: 20px; text-align: center; font-weight: 700;
}
footer { margin-top: 40px; color: var(--muted); font-size: 13px; }
`;
