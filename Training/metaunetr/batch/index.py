"""A run folder as one page: a card with a picture per case, the suspicious ones first.

It needs no network and no scripts. Pictures are files beside it, read as they come into sight, so
that a page of thousands of cases opens at once.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from math import inf, isnan
from pathlib import Path
from urllib.parse import quote

from metaunetr.batch.manifest import DONE, FAILED, Row
from metaunetr.io.atomic import write_text
from metaunetr.report.style import CSS
from metaunetr.result import CUT_OFF, DISCLAIMER, OrganResult

WORDS = {FAILED: "failed", DONE: "done"}
LOOK = """
main { max-width: 1400px; }
.counts { display: flex; flex-wrap: wrap; gap: 4px 24px; margin: 12px 0 0; padding: 0;
  list-style: none; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 16px; }
.card { border: 1px solid var(--line); border-top: 5px solid #4b8f5c; border-radius: 6px;
  overflow: hidden; content-visibility: auto; contain-intrinsic-size: auto 260px; }
.card.suspicious { border-top-color: var(--caution-line); }
.card.failed { border-top-color: #b3261e; }
.card.open { border-top-color: var(--line); }
.card img { display: block; width: 100%; aspect-ratio: 2 / 1; object-fit: contain;
  background: #000; }
.card div { padding: 8px 12px 12px; overflow-wrap: anywhere; }
.card p { margin: 2px 0; font-size: 13px; }
.quiet { color: var(--quiet); }
"""


@dataclass(frozen=True)
class Card:
    """A case on the page.

    Attributes:
        labels, thumbnail: files of a finished case, relative to the page; else None.
        who: patient and examination, where they may be named.
    """

    row: Row
    organs: tuple[OrganResult, ...] = ()
    labels: Path | None = None
    thumbnail: Path | None = None
    who: str = ""

    @property
    def doubts(self) -> list[str]:
        """What a person should look at."""
        return [f"{item.organ.name}: {flag}" for item in self.organs for flag in item.doubts]

    @property
    def cut_off(self) -> list[str]:
        """The organs of which the scan holds only a part, or may."""
        return [item.organ.name for item in self.organs if CUT_OFF in item.flags]

    @property
    def confidence(self) -> float:
        """Of the least certain organ; infinite when none was found."""
        return min((item.confidence for item in self.organs if not isnan(item.confidence)),
                   default=inf)

    @property
    def kind(self) -> str:
        if self.row.state == FAILED:
            return "failed"
        if self.row.state != DONE:
            return "open"
        return "suspicious" if self.doubts or self.row.reason else "fine"


KINDS = {"failed": "Failed", "suspicious": "To look at", "fine": "Nothing to remark",
         "open": "Not finished"}


def write_index(path: Path, cards: Iterable[Card], left_out: Iterable[tuple[str, str]]) -> None:
    """Write the page of a run folder.

    Args:
        left_out: paths with reasons.

    Raises:
        OutputError: the file cannot be written; nothing is left behind.
    """
    write_text(path, render(list(cards), list(left_out)))


def render(cards: list[Card], left_out: list[tuple[str, str]]) -> str:
    """The page as HTML."""
    order = list(KINDS)
    cards = sorted(cards, key=lambda card: (order.index(card.kind), -len(card.doubts),
                                            card.confidence))
    counts = Counter(card.kind for card in cards)
    numbers = [*((KINDS[kind], f"#{kind}", counts[kind]) for kind in KINDS if counts[kind]),
               *([("Left out", "#left-out", len(left_out))] if left_out else [])]
    listed = "".join(f'<li><a href="{link}">{name}</a>: {count}</li>'
                     for name, link, count in numbers)
    sections = "".join(
        f'<h2 id="{kind}">{name} ({counts[kind]})</h2><div class="cards">'
        f'{"".join(_card(card) for card in cards if card.kind == kind)}</div>'
        for kind, name in KINDS.items() if counts[kind])
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{len(cards)} cases – organ segmentation</title><style>{CSS}{LOOK}</style></head>"
        f'<body><main><h1>Abdominal organ segmentation: {len(cards)} cases</h1>'
        f'<ul class="counts">{listed}</ul>'
        f'<div class="notice disclaimer" role="note">{escape(DISCLAIMER)}</div>'
        f"{sections}{_left_out(left_out)}</main></body></html>\n"
    )


def _card(card: Card) -> str:
    row = card.row
    picture = (f'<img loading="lazy" alt="" src="{_link(card.thumbnail)}">'
               if card.thumbnail else "")
    name = escape(row.name)
    if card.labels:
        name = f'<a href="{_link(card.labels)}">{name}</a>'
    facts = [WORDS.get(row.state, "not finished")]
    if row.seconds is not None:
        facts.append(f"{row.seconds:.1f} s")
    if row.attempts > 1:
        facts.append(f"attempt {row.attempts}")
    if card.confidence < inf:
        facts.append(f"lowest confidence {card.confidence:.2f}")
    if row.id:
        facts.append(f"series {row.id}")
    who = f"<p>{escape(card.who)}</p>" if card.who else ""
    doubts = "".join(f'<span class="flag">{escape(doubt)}</span>' for doubt in card.doubts)
    cut = (f'<p class="quiet">touching the border: {escape(", ".join(card.cut_off))}</p>'
           if card.cut_off else "")
    reason = f'<p class="flag">{escape(row.reason)}</p>' if row.reason else ""
    return (f'<article class="card {card.kind}">{picture}<div><h3>{name}</h3>'
            f'<p class="quiet">{", ".join(facts)}</p>{who}{reason}<p>{doubts}</p>{cut}</div>'
            "</article>")


def _left_out(left_out: list[tuple[str, str]]) -> str:
    if not left_out:
        return ""
    rows = "".join(f"<tr><td>{escape(path)}</td><td>{escape(reason)}</td></tr>"
                   for path, reason in left_out)
    return (f'<h2 id="left-out">Left out ({len(left_out)})</h2><table><thead><tr><th>Path</th>'
            f"<th>Reason</th></tr></thead><tbody>{rows}</tbody></table>")


def _link(path: Path) -> str:
    """A relative address; bytes of file names that are no text stay what they are."""
    return quote(os.fsencode(path.as_posix()))
