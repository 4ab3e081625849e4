"""A run folder as one page: a card with a picture for each case, and a table of volumes.

It needs no network, and no JavaScript but for sorting the table by column. Pictures are files
beside it that are loaded when they come into view, so that a page of thousands of cases opens
quickly.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import inf, isnan
from pathlib import Path
from urllib.parse import quote

from metaunetr.batch.run_database import DONE, FAILED, Row
from metaunetr.io.atomic import write_text
from metaunetr.organs import Organ
from metaunetr.report.style import CSS
from metaunetr.result import CUT_OFF, DISCLAIMER, OrganResult
from metaunetr.text import millilitres

KINDS = {"failed": "Failed", "suspicious": "To look at", "fine": "Nothing to remark",
         "open": "Not finished"}
STYLE = """
main { max-width: 1400px; }
.counts { display: flex; flex-wrap: wrap; gap: 4px 24px; margin: 12px 0 0; padding: 0;
  list-style: none; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr));
  gap: 16px; }
.card { border: 1px solid var(--line); border-top: 5px solid #4b8f5c; border-radius: 6px;
  overflow: hidden; content-visibility: auto; contain-intrinsic-size: auto 280px; }
.card.suspicious { border-top-color: var(--caution-line); }
.card.failed { border-top-color: #b3261e; }
.card.open { border-top-color: var(--line); }
.card img { display: block; width: 100%; aspect-ratio: 2 / 1; object-fit: contain;
  background: #000; }
.card div { padding: 8px 12px 12px; overflow-wrap: anywhere; }
.card p { margin: 2px 0; font-size: 13px; }
.quiet { color: var(--quiet); }
.wide { overflow-x: auto; }
#volumes { font-size: 13px; }
#volumes th, #volumes td { padding: 4px 8px; }
#volumes th { vertical-align: bottom; cursor: pointer; }
#volumes th:first-child, #volumes td:first-child { position: sticky; left: 0; min-width: 160px;
  background: var(--paper); overflow-wrap: anywhere; }
#volumes th:nth-child(n+3), #volumes td:nth-child(n+3) { text-align: right; }
#volumes td:nth-child(2) { white-space: nowrap; }
#volumes button { padding: 0; border: 0; background: none; color: inherit; font: inherit;
  text-align: inherit; cursor: pointer; }
#volumes th::after { content: " ↕"; color: var(--line); }
#volumes th[aria-sort=ascending]::after { content: " ↑"; color: inherit; }
#volumes th[aria-sort=descending]::after { content: " ↓"; color: inherit; }
#volumes td:empty::after { content: "–"; color: var(--quiet); }
#volumes .doubt { color: var(--caution); background: var(--caution-paper); font-weight: 600; }
#volumes .cut::after { content: "+"; margin-right: -7px; }
@media (min-width: 641px) {
  #volumes th:nth-child(n+3) > * { writing-mode: vertical-rl; transform: rotate(180deg); }
  #volumes th:nth-child(n+3)::after { display: block; }
}
@media (max-width: 640px) {  /* each case becomes a block; the heads, a list to sort by */
  #volumes, #volumes thead, #volumes tbody { display: block; }
  #volumes tr { display: grid; grid-template-columns: 1fr 1fr; gap: 2px 20px; padding: 8px 0;
    border-bottom: 1px solid var(--line); }
  #volumes thead tr { display: flex; flex-wrap: wrap; gap: 2px 12px; }
  #volumes thead tr::before { content: "Sort by:"; }
  #volumes th, #volumes td { display: flex; min-width: 0; padding: 0 4px; border: 0; }
  #volumes td:nth-child(n+2)::before { margin-right: auto; padding-right: 4px;
    color: var(--quiet); font-weight: 400; text-align: left; }
  #volumes td:first-child { grid-column: 1 / -1; position: static; font-weight: 600; }
  #volumes th:first-child { position: static; min-width: 0; }
  #volumes .cut::after { margin-right: 0; }
}
"""
SORT = """
const table = document.getElementById("volumes"), body = table.tBodies[0];
const value = (row, column) => {
  const text = row.cells[column].textContent, number = Number(text);
  return text === "" ? null : Number.isNaN(number) ? text : number;
};
const compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b
  : String(a).localeCompare(String(b), undefined, {numeric: true});
[...table.tHead.rows[0].cells].forEach((head, column) => {
  const button = document.createElement("button");
  button.append(...head.childNodes);
  head.append(button);
  head.onclick = () => {
    const up = head.getAttribute("aria-sort") !== "ascending", sign = up ? 1 : -1;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = [...body.rows].map(row => [value(row, column), row]);
    rows.sort(([a], [b]) => a === null || b === null ? (a === null) - (b === null)
      : sign * compare(a, b));
    body.append(...rows.map(([, row]) => row));
  };
});
"""


@dataclass(frozen=True)
class Card:
    """A case on the page.

    Attributes:
        labels, thumbnail: files of the result, relative to the page; None if there is none.
        report: the report page of the case, if there is one.
        who: patient and examination, if they may be named.
    """

    row: Row
    organs: tuple[OrganResult, ...] = ()
    labels: Path | None = None
    thumbnail: Path | None = None
    report: Path | None = None
    who: str = ""

    @property
    def doubts(self) -> list[str]:
        """What a person should look at: "liver: odd", or "not found: spleen, left kidney"."""
        names = defaultdict(list)
        for item in self.organs:
            for flag in item.doubts:
                names[flag].append(item.organ.name)
        return [f"{flag}: {', '.join(organs)}" if len(organs) > 1 else f"{organs[0]}: {flag}"
                for flag, organs in names.items()]

    @property
    def cut_off(self) -> list[OrganResult]:
        """The organs that reach the border of the image, of which a part may be missing."""
        return [item for item in self.organs if CUT_OFF in item.flags]

    @property
    def confidence(self) -> float:
        """The confidence of the least certain organ; infinite if none was found."""
        return min((item.confidence for item in self.organs if not isnan(item.confidence)),
                   default=inf)

    @property
    def kind(self) -> str:
        """The section of the page, a key of KINDS."""
        if self.row.state == FAILED:
            return "failed"
        if self.row.state != DONE:
            return "open"
        return "suspicious" if self.doubts or self.row.reason else "fine"

    @property
    def order(self) -> tuple[int, int, float]:
        """Sorts by section, then by what is most likely wrong."""
        number = sum(len(item.doubts) for item in self.organs)
        return list(KINDS).index(self.kind), -number, self.confidence


def write_index(
    path: Path, cards: Iterable[Card], left_out: Iterable[tuple[str, str]],
    tables: Iterable[str] = (),
) -> None:
    """Write the page of a run folder.

    Args:
        left_out: paths with reasons.
        tables: names of the CSV files beside the page.

    Raises:
        OutputError: the file cannot be written; nothing is left behind.
    """
    write_text(path, render(list(cards), list(left_out), tables))


def render(
    cards: list[Card], left_out: list[tuple[str, str]], tables: Iterable[str] = ()
) -> str:
    """The page as HTML; for the arguments see `write_index`."""
    cards = sorted(cards, key=lambda card: card.order)
    counts = Counter(card.kind for card in cards)
    named = {item.organ.number: item.organ for card in cards for item in card.organs}
    organs = [named[number] for number in sorted(named)]
    numbers = [*((KINDS[kind], kind, counts[kind]) for kind in KINDS if counts[kind]),
               *([("Left out", "left-out", len(left_out))] if left_out else [])]
    listed = [f'<a href="#{link}">{name}</a>: {count}' for name, link, count in numbers]
    listed += ['<a href="#table">All cases with volumes</a>',
               *(f'<a href="{_link(Path(name))}">{escape(name)}</a>' for name in tables)]
    sections = "".join(
        f'<h2 id="{kind}">{name} ({counts[kind]})</h2><div class="cards">'
        f'{"".join(_card(card, n) for n, card in enumerate(cards) if card.kind == kind)}</div>'
        for kind, name in KINDS.items() if counts[kind])
    title = "1 case" if len(cards) == 1 else f"{len(cards)} cases"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} – organ segmentation</title><style>{CSS}{STYLE}"
        f"{_labels_of_cells(organs)}</style></head>"
        f"<body><main><h1>Abdominal organ segmentation: {title}</h1>"
        f'<ul class="counts">{"".join(f"<li>{item}</li>" for item in listed)}</ul>'
        f'<div class="notice disclaimer" role="note">{escape(DISCLAIMER)}</div>'
        f"{sections}{_table(cards, organs)}{_left_out(left_out)}</main>"
        f"<script>{SORT}</script></body></html>\n"
    )


def _card(card: Card, number: int) -> str:
    row = card.row
    picture = (f'<img loading="lazy" alt="" src="{_link(card.thumbnail)}">'
               if card.thumbnail else "")
    name = escape(row.name)
    if target := card.report or card.labels:
        name = f'<a href="{_link(target)}">{name}</a>'
        picture = picture and f'<a href="{_link(target)}">{picture}</a>'
    facts = [escape(fact) for fact in _facts(card)]
    if card.report and card.labels:
        facts.append(f'<a href="{_link(card.labels)}">labels</a>')
    who = f"<p>{escape(card.who)}</p>" if card.who else ""
    reason = f'<p class="flag">{escape(row.reason)}</p>' if row.reason else ""
    doubts = "".join(f'<span class="flag">{escape(doubt)}</span>' for doubt in card.doubts)
    names = ", ".join(item.organ.name for item in card.cut_off)
    cut = f'<p class="remark">cut off at the border: {escape(names)}</p>' if names else ""
    return (f'<article class="card {card.kind}" id="case-{number}">{picture}<div><h3>{name}</h3>'
            f'<p class="quiet">{", ".join(facts)}</p>{who}{reason}'
            f"{f'<p>{doubts}</p>' if doubts else ''}{cut}</div></article>")


def _facts(card: Card) -> list[str]:
    row = card.row
    facts = [row.state if row.state in (DONE, FAILED) else "not finished"]
    if row.seconds is not None:
        facts.append(f"{row.seconds:.1f} s")
    if row.attempts > 1:
        facts.append(f"attempt {row.attempts}")
    if card.confidence < inf:
        facts.append(f"lowest confidence {card.confidence:.2f}")
    if row.id:
        facts.append(f"series {row.id}")
    return facts


def _table(cards: Sequence[Card], organs: Sequence[Organ]) -> str:
    """All cases with the volumes of their organs; a click on a head sorts."""
    heads = ["Case", *_heads(organs)]
    rows = []
    for number, card in enumerate(cards):
        found = {item.organ.number: item for item in card.organs}
        confidence = f"{card.confidence:.2f}" if card.confidence < inf else ""
        rows.append(
            f'<tr><td><a href="#case-{number}">{escape(card.row.name)}</a></td>'
            f"<td>{KINDS[card.kind].lower()}</td><td>{confidence}</td>"
            f'{"".join(_volume(found.get(organ.number)) for organ in organs)}</tr>')
    return (
        f'<h2 id="table">All cases ({len(cards)})</h2>'
        '<p class="caption">Volumes in mL. Highlighted: to look at. +: the organ reaches the '
        "border of the image and may be larger. –: not found, or not segmented.</p>"
        '<div class="wide"><table id="volumes"><thead><tr>'
        f"{''.join(f'<th><span>{escape(head)}</span></th>' for head in heads)}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _heads(organs: Sequence[Organ]) -> list[str]:
    """The heads of the second to last column."""
    return ["Result", "Lowest confidence",
            *(f"{organ.name[0].upper()}{organ.name[1:]}" for organ in organs)]


def _labels_of_cells(organs: Sequence[Organ]) -> str:
    """The style that puts the head of its column before each cell on a narrow screen."""
    rules = (f'#volumes td:nth-child({n})::before {{ content: "{head}"; }}'
             for n, head in enumerate(_heads(organs), 2))
    return f"@media (max-width: 640px) {{ {' '.join(rules)} }}"


def _volume(item: OrganResult | None) -> str:
    if item is None:
        return "<td></td>"
    classes = [*(["doubt"] if item.doubts else []), *(["cut"] if CUT_OFF in item.flags else [])]
    kind = f' class="{" ".join(classes)}"' if classes else ""
    remark = f' title="{escape("; ".join(item.doubts))}"' if item.doubts else ""
    volume = millilitres(item.volume_ml) if item.voxels else ""
    return f"<td{kind}{remark}>{volume}</td>"


def _left_out(left_out: list[tuple[str, str]]) -> str:
    if not left_out:
        return ""
    rows = "".join(f"<tr><td>{escape(path)}</td><td>{escape(reason)}</td></tr>"
                   for path, reason in left_out)
    return (f'<h2 id="left-out">Left out ({len(left_out)})</h2><table><thead><tr><th>Path</th>'
            f"<th>Reason</th></tr></thead><tbody>{rows}</tbody></table>")


def _link(path: Path) -> str:
    """A relative address, also for file names with undecodable bytes."""
    return quote(os.fsencode(path.as_posix()))
