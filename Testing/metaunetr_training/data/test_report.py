"""The page says first what is odd, then what there is, and shows every case."""

import re
import struct
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from metaunetr_training.data import prepare, report
from metaunetr_training.data.datasets import dataset_cases
from metaunetr_training.data.prepared import Prepared
from metaunetr_training.recipe import load
from tiny_dataset import write_dataset


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Prepared:
    folder = tmp_path_factory.mktemp("report")
    data = write_dataset(folder / "ours & theirs", ["a", "b#1"])
    cases = dataset_cases("general", data)
    preprocessing = load("fast", ["preprocessing.spacing=[8, 8, 8]"]).preprocessing
    return prepare.prepare(
        prepare.plan(folder / "out", preprocessing, cases, folds=2, jobs=1), [].append)


def test_pictures_are_there_small_and_linked(prepared):
    page = report.render(prepared, [], {})
    sources = re.findall(r'src="([^"]+)"', page)
    assert sources == ["pictures/ours_theirs/a.png", "pictures/ours_theirs/b%231.png"]
    for key in ("a", "b#1"):
        data = (prepared.folder / "pictures/ours_theirs" / f"{key}.png").read_bytes()
        width, height = struct.unpack(">II", data[16:24])
        assert 300 < width < 500 and 100 < height < 300
        assert len(data) < 30_000
        grey = np.array(Image.open(BytesIO(data)).convert("L"))
        assert len(np.unique(grey[grey > 40])) > 5, "soft tissue is white"


def test_warnings_come_before_everything_else(prepared):
    odd = replace(prepared.cases[1], warnings=("The liver has <1 mL.",))
    page = report.render(replace(prepared, cases=(prepared.cases[0], odd)),
                         ["a and b are one image."], {"ours/c": "c.nii: cannot be read"})
    places = [page.index(text) for text in (
        "1 cases could not be prepared", "ours/c: c.nii: cannot be read", "a and b are one image.",
        "b#1: The liver has &lt;1 mL.", "<table>", 'alt="ours_theirs/b#1"',
        'alt="ours_theirs/a"')]
    assert places == sorted(places)


def test_tables_say_what_the_data_set_holds(prepared):
    page = report.render(prepared, [], {})
    assert "Nothing was odd" in page
    rows = {row[0]: row[1:] for row in re.findall(
        r"</i>([\w ]+)</td><td class=\"number\">(\d+)</td><td class=\"number\">(\d+)</td>"
        r"<td class=\"number\">(.*?)</td>", page)}
    assert rows["spleen"][:2] == ("2", "2")
    assert float(rows["spleen"][2]) == pytest.approx(180, rel=0.1)  # mL of a ball of 3.5 cm
    assert rows["pancreas"] == ("0", "0", "–")
    assert "<dd>0: 1, 1: 1</dd>" in page and "<dd>6 × 6 × 6 mm</dd>" in page


@pytest.mark.parametrize(("value", "text"), [
    (0, "0"), (0.78313, "0.783"), (2.5, "2.5"), (45.24, "45.2"), (2250.4, "2,250"), (100.0, "100"),
])
def test_numbers_are_written_without_exponents(value, text):
    assert report._number(value) == text
