"""The page shows the suspicious cases first, needs nothing from elsewhere, and escapes all text."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from metaunetr.batch.index import Card, render
from metaunetr.batch.run_database import Row
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
        if not {"style", "script"} & set(self.open):
            self.text += data + "\n"

    def all(self, wanted: str, attribute: str) -> list[str]:
        return [attributes[attribute] for tag, attributes in self.tags
                if tag == wanted and attribute in attributes]


def done(name: str, confidence: float = 0.95, *flags: str, **facts) -> Card:
    organ = OrganResult(LIVER, 10, 1.0, 60.0, 9.0, confidence, flags)
    row = Row(name, state="done", seconds=12.0, **facts)
    return Card(row, (organ,), Path(f"{name}.seg.nrrd"), Path(f"{name}.png"))


def test_an_organ_that_reaches_the_border_is_nothing_to_look_at():
    text = Page(render([done("chest", 0.95, CUT_OFF), done("other", 0.95, CUT_OFF, "odd")],
                       [])).text.splitlines()
    assert {"To look at (1)", "Nothing to remark (1)", "cut off at the border: liver"} <= set(text)
    assert "liver: odd" in text and f"liver: {CUT_OFF}" not in text


def test_flags_are_grouped_and_volumes_are_in_the_table():
    organs = [
        OrganResult(BY_NAME[name], voxels, volume, 60.0, 9.0, confidence, flags)
        for name, voxels, volume, confidence, flags in (
            ("spleen", 0, 0.0, math.nan, ("not found",)),
            ("left kidney", 0, 0.0, math.nan, ("not found",)),
            ("liver", 9, 1432.4, 0.91, (CUT_OFF,)), ("pancreas", 9, 7.26, 0.7, ("odd", CUT_OFF)))]
    card = Card(Row("a", state="done"), tuple(organs), Path("a.seg.nrrd"), Path("a.png"))
    html = render([card, done("b")], [], ["organs.csv"])
    lines = Page(html).text.splitlines()
    assert {"not found: spleen, left kidney", "pancreas: odd",
            "cut off at the border: liver, pancreas"} <= set(lines)
    assert '<a href="organs.csv">organs.csv</a>' in html
    assert "".join(f"<th><span>{head}</span></th>" for head in (
        "Spleen", "Left kidney", "Liver", "Pancreas")) in html
    row = ('<a href="#case-0">a</a></td><td>to look at</td><td>0.70</td>'
           '<td class="doubt" title="not found"></td><td class="doubt" title="not found"></td>'
           '<td class="cut">1432</td><td class="doubt cut" title="odd">7.26</td>')
    assert row in html
    assert '<a href="#case-1">b</a></td><td>nothing to remark</td><td>0.95</td><td></td>' in html


def test_a_card_links_to_the_report_and_the_labels():
    card = Card(Row("a", state="done"), (), Path("a.seg.nrrd"), Path("a.png"),
                Path("a report.html"))
    page = Page(render([card], []))
    links = [link for link in page.all("a", "href") if not link.startswith("#")]
    assert links == ["a%20report.html", "a%20report.html", "a.seg.nrrd"]


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
    assert [line for line in text if line in names] == 2 * [  # as cards, and in the table
        "broken", "flagged twice", "unsure", "surer", "lost", "less fine", "fine", "waiting"]
    sections = {"Failed (1)", "To look at (4)", "Nothing to remark (2)", "Not finished (1)"}
    assert sections <= set(text)


def test_a_card_shows_what_is_known_about_its_case():
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
        "a", "div", "article", "img", "p", "span", "table", "thead", "tbody", "tr", "th", "td",
        "script"}
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)
    links = [*page.all("a", "href"), *page.all("img", "src")]
    assert not any(":" in link for link in links)
    assert unquote_to_bytes(links[-1]) == f"{name}.png".encode("utf-8", "surrogateescape")
    assert html.count("<script>") == 1 and name not in html.split("<script>")[1]
    if "\udcff" not in name:
        assert page.text.count(name) == 7


def test_nothing_comes_from_elsewhere():
    html = render([done("a"), failed("b")], [])
    assert not any(word in html for word in ("http", "//", "<script ", "@import", "url("))


def test_thousands_of_cases_are_a_page_of_a_few_megabytes():
    organs = [OrganResult(organ, 9, 100.0 + n, 60.0, 9.0, 0.9) for n, organ in enumerate(
        BY_NAME.values())]
    html = render([Card(Row(f"patient {n}/ct", state="done", seconds=9.0), tuple(organs),
                        Path(f"patient {n}/ct.seg.nrrd"), Path(f"patient {n}/ct.png"))
                   for n in range(5000)], [])
    assert len(html) < 5e6
    assert html.count('loading="lazy"') == 5000


CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def in_browser(tmp_path, html: str) -> str:
    """The title that the scripts of a page leave."""
    path = tmp_path / "index.html"
    path.write_text(html, encoding="utf-8")
    ran = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu",
                          "--window-size=1280,800", f"--user-data-dir={tmp_path / 'user'}",
                          "--virtual-time-budget=5000", "--dump-dom", path.as_uri()],
                         capture_output=True, text=True, timeout=120)
    return re.search("<title>(.*?)</title>", ran.stdout)[1]


@pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")
def test_in_a_browser_a_click_sorts_and_all_organs_fit_a_desktop_and_a_phone(tmp_path):
    """Empty cells stay at the end. The phone is a frame of its width."""
    volumes = {"a": 90.0, "b": 1100.0, "c": 9.5}
    cards = [Card(Row(name, state="done"), tuple(
        OrganResult(organ, 9, volume, 60.0, 9.0, 0.9, (CUT_OFF, "odd"))
        for organ in BY_NAME.values() if organ.number <= 13)) for name, volume in volumes.items()]
    page = render([*cards, failed("d")], [])
    title = in_browser(tmp_path, page.replace("</body>", """
        <iframe width=390 height=600 srcdoc="PHONE"></iframe><script>
        const order = () => [...body.rows].map(row => row.cells[0].textContent).join("");
        const click = column => { table.tHead.rows[0].cells[column].firstChild.click();
          return order() };
        const fits = page => { const wide = page.querySelector(".wide");
          return wide.scrollWidth <= wide.clientWidth && wide.clientWidth > 200 };
        onload = () => { document.title = [order(), click(8), click(8), click(0), fits(document),
          fits(document.querySelector("iframe").contentDocument)].join(" ") };
        </script></body>""".replace("PHONE", escape(page))))
    assert title == "dabc cabd bacd abcd true true"
