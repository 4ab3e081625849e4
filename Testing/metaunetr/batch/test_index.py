"""The page shows the suspicious cases first, runs nothing, and believes no text."""

from __future__ import annotations

import math
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from metaunetr.batch.index import Card, render
from metaunetr.batch.manifest import Row
from metaunetr.organs import BY_NAME
from metaunetr.result import CUT_OFF, OrganResult

LIVER = BY_NAME["liver"]
VOID = {"meta", "img"}


class Page(HTMLParser):
    """Tags with their attributes, and the visible text, of HTML whose tags all close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data + "\n"

    def all(self, wanted: str, attribute: str) -> list[str]:
        return [attributes[attribute] for tag, attributes in self.tags
                if tag == wanted and attribute in attributes]


def done(name: str, confidence: float = 0.95, *flags: str, **facts) -> Card:
    organ = OrganResult(LIVER, 10, 1.0, 60.0, 9.0, confidence, flags)
    row = Row(name, state="done", seconds=12.0, **facts)
    return Card(row, (organ,), Path(f"{name}.seg.nrrd"), Path(f"{name}.png"))


def test_a_case_that_a_scan_cuts_off_is_nothing_to_look_at():
    text = Page(render([done("chest", 0.95, CUT_OFF), done("other", 0.95, CUT_OFF, "odd")],
                       [])).text.splitlines()
    assert {"To look at (1)", "Nothing to remark (1)", "touching the border: liver"} <= set(text)
    assert "liver: odd" in text and f"liver: {CUT_OFF}" not in text


def failed(name: str, reason: str = "it is empty") -> Card:
    return Card(Row(name, state="failed", reason=reason, seconds=0.1))


def test_the_suspicious_come_first():
    cards = [
        done("fine"), done("unsure", 0.4, "low"), Card(Row("waiting")),
        done("surer", 0.6, "low"),
        done("flagged twice", 0.99, "touches the border", "too large"), failed("broken"),
        done("less fine", 0.8), done("lost", math.nan, "not found"),
    ]
    text = Page(render(cards, [])).text.splitlines()
    names = [card.row.name for card in cards]
    assert [line for line in text if line in names] == [
        "broken", "flagged twice", "unsure", "surer", "lost", "less fine", "fine", "waiting"]
    sections = {"Failed (1)", "To look at (4)", "Nothing to remark (2)", "Not finished (1)"}
    assert sections <= set(text)


def test_a_card_tells_what_there_is_to_know():
    page = Page(render([done("a/ct", 0.61, "touches the border", attempts=3), failed("b")],
                       [("old.seg.nrrd", "a segmentation")]))
    for words in ("done, 12.0 s, attempt 3, lowest confidence 0.61", "liver: touches the border",
                  "failed, 0.1 s", "it is empty", "old.seg.nrrd", "a segmentation"):
        assert words in page.text.splitlines()
    assert "a/ct.seg.nrrd" in page.all("a", "href")
    assert page.all("img", "src") == ["a/ct.png"]
    assert page.all("img", "loading") == ["lazy"]


@pytest.mark.parametrize("name", [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "javascript:alert(1)", "a&b;c",
    "größe 大", "a#b?c%20d", "undecodable \udcff",
])
def test_names_and_reasons_are_text_whatever_they_hold(name):
    html = render([done(name), failed(name, name)], [(name, name)])
    page = Page(html.encode("utf-8", "backslashreplace").decode())
    assert {tag for tag, _ in page.tags} <= {
        "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "ul", "li",
        "a", "div", "article", "img", "p", "span", "table", "thead", "tbody", "tr", "th", "td"}
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)
    links = [*page.all("a", "href"), *page.all("img", "src")]
    assert not any(":" in link for link in links)
    assert unquote_to_bytes(links[-1]) == f"{name}.png".encode("utf-8", "surrogateescape")
    if "\udcff" not in name:
        assert page.text.count(name) == 5


def test_nothing_comes_from_elsewhere():
    html = render([done("a"), failed("b")], [])
    assert not any(word in html for word in ("http", "//", "<script", "@import", "url("))


def test_thousands_of_cases_are_a_page_of_a_few_megabytes():
    html = render([done(f"patient {n}/ct", 0.5 + n / 10_000) for n in range(5000)], [])
    assert len(html) < 4e6
    assert html.count('loading="lazy"') == 5000
