"""The report is one page that needs nothing else, says what it must, and trusts no text."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from metaunetr.errors import OutputError
from metaunetr.image import Grid, Image
from metaunetr.organs import ORGANS, find
from metaunetr.report import write_report
from metaunetr.result import CUT_OFF, DISCLAIMER, OrganResult, Result

VOID = {"meta", "img", "br", "input"}
OBLIQUE = np.array([[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, -1]])


class Outline(HTMLParser):
    """Collects tags, text and attributes, and insists that every tag is closed in turn."""

    def __init__(self, html):
        super().__init__()
        self.open, self.attributes, self.text = [], [], ""
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def case(shape=(20, 60, 70), present=(1, 6), warnings=(), flags=(), record=None, name="ct.nii.gz"):
    grid = Grid(shape, (1.2, 1.2, 5.0), (10, -20, 30), OBLIQUE)
    image = Image(np.random.default_rng(0).normal(40, 20, shape).astype(np.int16), grid,
                  Path("folder") / name if name else None)
    labels = np.zeros(shape, np.uint8)
    organs = []
    for n, organ in enumerate(ORGANS):
        if organ.number in present:
            labels[2:-2, 5 + 3 * n : 8 + 3 * n, 5:40] = organ.number
        voxels = int((labels == organ.number).sum())
        values = (voxels * grid.voxel_volume, 40.4, 20.2, 0.937) if voxels else (0.0, *[np.nan] * 3)
        organs.append(OrganResult(organ, voxels, *values, flags if voxels else ("not found",)))
    return image, Result(Image(labels, grid), tuple(organs), record or {}, warnings)


def write(tmp_path, *arguments, **keywords):
    image, result = case(*arguments, **keywords)
    path = tmp_path / "report.html"
    write_report(path, image, result)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("present", [(), (1, 6), tuple(range(1, 17))], ids=len)
def test_the_page_is_well_formed_and_holds_all_pictures(tmp_path, present):
    page = Outline(write(tmp_path, present=present))
    pictures = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    assert len(pictures) == 3 + 3 * len(present) + 2 * bool(present)  # and surfaces
    assert all(picture.startswith("data:image/png;base64,") for picture in pictures)


def test_it_needs_no_network_and_no_file(tmp_path):
    html = write(tmp_path)
    page = Outline(html)
    names = {name for _, name, _ in page.attributes}
    assert not names & {"href", "srcset", "action", "onload", "onclick"}
    assert not re.search(r"https?:|@import|url\(|<link|<iframe|fetch\(|XMLHttp|import\(", html)
    (policy,) = [value for tag, name, value in page.attributes
                 if (tag, name) == ("meta", "content") and "default-src" in value]
    assert policy.startswith("default-src 'none'") and "connect-src" not in policy


SUMMARIES = {
    "well": ((), "None of 2 organs flagged; not found: right kidney"),
    "cut off": ((CUT_OFF,), "None of 2 organs flagged; touching the border of the image: spleen, "),
    "doubtful": (("2 separate parts",), "2 of 2 organs flagged: spleen, liver; not found: "),
}


@pytest.mark.parametrize(("flags", "words"), SUMMARIES.values(), ids=SUMMARIES)
def test_a_line_on_top_says_which_organs_are_flagged(tmp_path, flags, words):
    text = Outline(write(tmp_path, flags=flags)).text
    assert words in text
    assert text.index(words) < text.index("Overview")


def test_contact_with_the_border_does_not_look_like_a_doubt(tmp_path):
    html = write(tmp_path, flags=(CUT_OFF, "2 separate parts"))
    assert f'<span class="remark">{CUT_OFF}</span>' in html
    assert '<span class="flag">2 separate parts</span>' in html


@pytest.mark.parametrize(("confidence", "words"), [
    ("expected Dice", "Confidence: how well"), ("mean probability", "Confidence: the probability"),
])
def test_what_the_confidence_of_this_model_is(tmp_path, confidence, words):
    assert words in Outline(write(tmp_path, record={"confidence": confidence})).text


def test_pictures_say_where_they_lie(tmp_path):
    text = Outline(write(tmp_path)).text
    assert re.search(r"coronal: slice \d+ of 60, [AP] \d+ mm", text)
    assert re.search(r"axial: slice \d+ of 20, [IS] \d+ mm", text)


def test_it_says_what_it_must(tmp_path):
    page = Outline(write(
        tmp_path,
        warnings=("slices are 5 mm thick",),
        flags=("touches the border of the image",),
        record={"model": "abdomen13-2mm", "date": "2026-08-03T10:11:12+00:00", "windows": 27},
    ))
    volume = f"{16 * 3 * 35 * 1.2 * 1.2 * 5 / 1000:.1f} mL"  # 12.1
    for words in [
        DISCLAIMER, "ct.nii.gz", "70 × 60 × 20 voxels of 1.2 × 1.2 × 5 mm", "abdomen13-2mm",
        "2026-08-03", "slices are 5 mm thick", "touches the border of the image",
        volume, "40 ± 20", "0.94", '"windows": 27',
    ]:
        assert words in page.text, words
    assert page.text.count("not found") == 1 + len(ORGANS) - 2


def test_an_empty_result_says_so(tmp_path):
    text = write(tmp_path, present=())
    assert "None of the organs was found" in text
    assert "None of 0" not in text and 'class="summary doubtful"' in text


def test_text_from_outside_is_shown_and_never_obeyed(tmp_path):
    evil = "<script>alert('x')</script>&\"'"
    html = write(
        tmp_path, warnings=(evil,), flags=(evil,), record={"model": evil, evil: [evil]},
        name=evil.replace("/", ""),
    )
    assert evil not in html and html.count("<script") == 4  # the viewer's own
    assert Outline(html).text.count("alert('x')") >= 5


def test_an_image_in_memory_and_an_empty_record_are_enough(tmp_path):
    assert "image in memory" in write(tmp_path, name=None)


def test_a_number_that_rounds_to_zero_has_no_sign(tmp_path):
    image, result = case()
    liver = OrganResult(find("liver"), 1, 1.0, -0.2, 3.0, 0.5)
    write_report(tmp_path / "report.html", image, Result(result.labels, (liver,), {}))
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert ">0 ± 3<" in html


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(OutputError):
        write_report(tmp_path / "missing" / "report.html", *case())
