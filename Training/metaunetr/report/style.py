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
.summary { margin: 20px 0 0; padding: 10px 16px; border-left: 6px solid #3a8a5a;
  border-radius: 4px; background: #eef7f1; font-size: 17px; }
.doubtful { border-color: var(--caution-line); background: var(--caution-paper); }
.pictures, .planes { display: flex; gap: 8px; align-items: center; justify-content: center;
  padding: 8px; border-radius: 6px; background: #000; }
figure { margin: 0; min-width: 0; }
figcaption { padding: 2px 0; color: #c8cfd6; font-size: 12px; text-align: center; }
.picture { position: relative; padding: 18px; }  /* letters and bars lie around the picture */
.picture img, canvas { display: block; width: 100%; height: auto; }
.picture span { position: absolute; color: #f4e9a8; font: 600 12px/1 system-ui, sans-serif; }
.west { left: 3px; top: 50%; } .east { right: 3px; top: 50%; }
.north { top: 3px; left: 50%; } .south { bottom: 3px; left: 50%; }
.picture .length { right: 18px; bottom: 3px; font-weight: 400; }
.planes { display: grid; grid-template-columns: 3fr 2fr; }
.planes figure:first-child { grid-row: span 2; }
.planes input { display: block; width: 100%; margin: 0; }
canvas { cursor: crosshair; touch-action: pan-y; }
.picture .bar { left: 18px; bottom: 2px; height: 14px; border-bottom: 3px solid #f4e9a8;
  font-weight: 400; white-space: nowrap; }
.controls { display: flex; flex-wrap: wrap; gap: 8px 24px; margin: 0 0 8px; }
.controls label { display: flex; gap: 8px; align-items: center; }
#organs li { display: flex; gap: 4px; align-items: center; }
#organs button { padding: 2px 6px; border: 0; background: none; color: inherit; font: inherit;
  cursor: pointer; }
#organs button:hover, .link:hover { text-decoration: underline; }
.link { cursor: pointer; }
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
.flag, .remark { display: block; }
.flag { color: var(--caution); }
.remark { color: var(--quiet); }
.organ { margin: 0 0 28px; break-inside: avoid; }
.organ p { margin: 0 0 8px; color: var(--quiet); }
details { margin-top: 36px; border-top: 1px solid var(--line); padding-top: 12px; }
summary { cursor: pointer; font-weight: 600; color: var(--accent); }
pre { padding: 12px; background: #f3f5f7; border-radius: 4px; font-size: 12px;
  white-space: pre-wrap; overflow-wrap: anywhere; }
footer { margin-top: 28px; color: var(--quiet); font-size: 13px; }
@media screen { .live #stills { display: none; } }
@media (max-width: 640px) {
  main { padding: 16px; }
  .pictures { flex-direction: column; align-items: stretch; }
  .planes { grid-template-columns: 1fr; }
  .planes figure:first-child { grid-row: auto; }
  .organs tr { display: flex; flex-wrap: wrap; padding: 4px 0;
    border-bottom: 1px solid var(--line); }
  .organs th, .organs td { flex: 1 0 20%; padding: 2px 4px; border: 0; font-size: 13px; }
  .organs th { font-size: 11px; white-space: normal; }
  .organs th:first-child, .organs td:first-child { flex: 1 0 32%; }
  .organs [colspan] { flex: 3 0 60%; }
  .organs td:last-child { flex: 1 0 100%; }
  .organs td:empty, .organs th:last-child { display: none; }
}
@page { size: A4; margin: 14mm; }
@media print {
  #viewer { display: none; }
  body { background: none; font-size: 11px; }
  main { max-width: none; padding: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2 { break-after: avoid; }
  tr, .notice, .pictures { break-inside: avoid; }
}
"""
