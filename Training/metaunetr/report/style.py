"""The look of the report: calm on screen, complete on paper."""

CSS = """
:root { --ink: #1c2733; --quiet: #5b6b7b; --line: #dde3e9; --paper: #ffffff; --accent: #1f5f8b;
  --caution: #8a4b00; --caution-paper: #fff6e5; --caution-line: #e8a33d; }
* { box-sizing: border-box; }
body { margin: 0; background: #f3f5f7; color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 32px; background: var(--paper); }
h1 { margin: 0 0 4px; font-size: 26px; font-weight: 600; }
h2 { margin: 36px 0 12px; font-size: 18px; font-weight: 600; }
h3 { margin: 0 0 2px; font-size: 16px; font-weight: 600; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 2px 20px;
  margin: 16px 0 0; }
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.notice { margin: 20px 0; padding: 12px 16px; border: 1px solid var(--caution-line);
  border-left-width: 6px; border-radius: 4px; background: var(--caution-paper);
  color: var(--caution); }
.notice ul { margin: 4px 0 0; padding-left: 20px; }
.disclaimer { font-size: 17px; font-weight: 600; }
.pictures { display: flex; gap: 8px; align-items: center; justify-content: center; padding: 8px;
  border-radius: 6px; background: #000; }
figure { position: relative; margin: 0; min-width: 0; }
figure img { display: block; width: 100%; height: auto; }
figure span { position: absolute; color: #f4e9a8; font: 600 12px/1 system-ui, sans-serif;
  text-shadow: 0 0 3px #000, 0 0 3px #000; }
.west { left: 4px; top: 50%; } .east { right: 4px; top: 50%; }
.north { top: 4px; left: 50%; } .south { bottom: 4px; left: 50%; }
.caption { margin: 6px 0 0; color: var(--quiet); font-size: 13px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 10px 0 0; padding: 0;
  list-style: none; font-size: 13px; }
.chip { display: inline-block; width: 12px; height: 12px; margin-right: 7px; border-radius: 3px;
  border: 1px solid rgba(0, 0, 0, .25); vertical-align: -1px; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
th { color: var(--quiet); font-size: 13px; font-weight: 600; }
.number { text-align: right; white-space: nowrap; }
.absent td { color: var(--quiet); }
.flag { display: block; color: var(--caution); }
.organ { margin: 0 0 28px; break-inside: avoid; }
.organ p { margin: 0 0 8px; color: var(--quiet); }
details { margin-top: 36px; border-top: 1px solid var(--line); padding-top: 12px; }
summary { cursor: pointer; font-weight: 600; color: var(--accent); }
pre { padding: 12px; background: #f3f5f7; border-radius: 4px; font-size: 12px;
  white-space: pre-wrap; overflow-wrap: anywhere; }
footer { margin-top: 28px; color: var(--quiet); font-size: 13px; }
@page { size: A4; margin: 14mm; }
@media print {
  body { background: none; font-size: 11px; }
  main { max-width: none; padding: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2 { break-after: avoid; }
  tr, .notice, .pictures { break-inside: avoid; }
}
"""
