"""How the pages for auditors look: light and dark, narrow and wide, on paper."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --quiet: #5b636d; --paper: #fff; --soft: #f4f6f8; --line: #d5dae0;
  --link: #0b5cad; --read: #3f7fbf; --change: #a86a00; --admin: #b3372f; --glass: #8a2be2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --quiet: #9aa4b0; --paper: #14171a; --soft: #1d2126;
  --line: #363d45; --link: #7fb8f5; --read: #5b9bd8; --change: #d79a3a; --admin: #ea7a70; --glass: #b98cf5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 40px 0 10px; padding-top: 12px; border-top: 1px solid var(--line); }
h3 { font-size: 15px; margin: 20px 0 4px; }
p { margin: 4px 0; max-width: 75ch; }
a { color: var(--link); text-underline-offset: 2px; }
.quiet, dt, caption { color: var(--quiet); }
code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { font: 13px/1.45 ui-monospace, monospace; background: var(--soft); border-radius: 8px; padding: 10px 12px;
  white-space: pre-wrap; overflow-wrap: anywhere; }
ul { margin: 4px 0; padding-left: 20px; }
li { overflow-wrap: anywhere; }
blockquote { margin: 4px 0; padding: 2px 12px; border-left: 3px solid var(--line); overflow-wrap: anywhere; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: 10px; margin: 16px 0; padding: 0;
  list-style: none; }
.figures li { background: var(--soft); border-radius: 8px; padding: 10px 12px; }
.figures b { display: block; font-size: 24px; line-height: 1.2; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; margin: 8px 0; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; vertical-align: top; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); }
td { overflow-wrap: break-word; min-width: 48px; }
th { font-weight: 600; color: var(--quiet); white-space: nowrap; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: 8px 24px; margin: 12px 0; }
dd { margin: 0; overflow-wrap: anywhere; }
dt { font-size: 13px; }
.bars { list-style: none; padding: 0; margin: 12px 0; }
.bars li { display: grid; grid-template-columns: minmax(90px, 260px) 1fr minmax(28px, auto); gap: 2px 12px; align-items: center;
  padding: 4px 0; }
.bars svg { width: 100%; height: 14px; display: block; background: var(--soft); border-radius: 3px; }
.bars .n { font-variant-numeric: tabular-nums; text-align: right; }
.hours li { grid-template-columns: 44px 1fr 44px; }
.axis { grid-column: 2; display: flex; justify-content: space-between; font-size: 13px; color: var(--quiet); }
.read { fill: var(--read); } .change { fill: var(--change); } .admin { fill: var(--admin); } .glass { fill: var(--glass); }
.key { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 13px; margin: 4px 0; padding: 0; list-style: none; }
.key svg { width: 12px; height: 12px; margin-right: 6px; vertical-align: -1px; }
.rows td:nth-child(2), .rows td:nth-child(3) { min-width: 170px; }
.rows td:nth-child(1), .rows td:nth-child(5), .rows td:nth-child(6) { white-space: nowrap; }
.rows td:nth-child(1) { font-weight: 600; }
nav { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 12px 0; }
.ids { font-size: 14px; overflow-wrap: anywhere; max-width: none; }
:target { background: var(--soft); outline: 2px solid var(--link); outline-offset: 2px; }
@media (max-width: 720px) {
  .bars:not(.hours) li { grid-template-columns: 1fr auto; } .bars:not(.hours) svg, .axis { grid-row: 2;
  grid-column: 1 / -1; }
  .rows thead { display: none; } .rows tr { display: block; padding: 8px 0;
  border-bottom: 1px solid var(--line); } .rows td { display: block; padding: 1px 0; border: 0; white-space: normal !important; }
}
@media print {
  nav { display: none; }
  :root { color-scheme: light; --ink: #000; --quiet: #444; --paper: #fff; --soft: #eee; --line: #bbb; --link: #000;
    --read: #3f7fbf; --change: #a86a00; --admin: #b3372f; --glass: #8a2be2; }
  body { font-size: 10.5px; } main { max-width: none; padding: 0; } a { text-decoration: none; }
  .wide { overflow: visible; } table { font-size: 9.5px; } tr, .bars li, .figures li { break-inside: avoid; }
  h2 { break-after: avoid; } svg, svg rect { print-color-adjust: exact; }
}
"""
