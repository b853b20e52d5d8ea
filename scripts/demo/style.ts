/** The demo's additions to the style of all pages: cards of queries, and frames around right answers. */

export const demoPageStyle = `
main { max-width: 1180px; }
.lead { max-width: 46em; text-wrap: pretty; }
.scroll { margin-top: 28px; }
td { white-space: nowrap; }
td b { color: var(--right); }
.queries { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 500px), 1fr)); gap: 18px; }
article { padding: 16px; background: var(--card); border: 1px solid var(--line); border-radius: 14px; }
.asked { display: flex; align-items: center; gap: 16px; }
.asked > img { width: 96px; height: 96px; border-radius: 10px; }
.asked p { font-size: 18px; line-height: 1.5; }
.chip { width: 1.5em; height: 1.5em; border-radius: 5px; vertical-align: -.4em; }
.found { margin-top: 12px; }
.found ol { display: grid; grid-template-columns: repeat(6, 1fr); gap: 8px; margin-top: 4px; }
li { position: relative; border-radius: 10px; }
li img { display: block; width: 100%; height: auto; border-radius: 8px; }
.right { outline: 4px solid var(--right); outline-offset: 0; }
.right::after {
  content: "✓"; position: absolute; right: 4px; bottom: 4px; width: 20px; height: 20px; border-radius: 50%;
  background: var(--right); color: var(--on-right); font-size: 13px; line-height: 20px; text-align: center; font-weight: 700;
}
`;
