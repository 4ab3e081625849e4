"""Lists of inputs, and names that are refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from metaunetr.batch.case import make_cases
from metaunetr.batch.discover import discover
from metaunetr.batch.inputs import Input, read_inputs
from metaunetr.errors import InputError


@pytest.fixture
def written(tmp_path):
    def written(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path
    return written


TWO = [("ct/1.nii.gz", "patient 1"), ("ct/2.nii.gz", "")]


@pytest.mark.parametrize(("name", "content"), [
    ("list.csv", "image,name\nct/1.nii.gz,patient 1\nct/2.nii.gz,\n"),
    ("list.CSV", "name;image;age\r\npatient 1;ct/1.nii.gz;7\r\n\r\n;ct/2.nii.gz;8\r\n"),
    ("list.csv", "\ufeffimage \t name\n ct/1.nii.gz \t patient 1 \nct/2.nii.gz\n"),
    ("list.json", '[{"image": "ct/1.nii.gz", "name": "patient 1"}, "ct/2.nii.gz"]'),
    ("list.json", '\ufeff[{"name": "patient 1", "image": "ct/../ct/1.nii.gz"}, '
                  '{"image": "ct/2.nii.gz", "name": null}]'),
])
def test_paths_start_at_the_folder_of_the_list(written, tmp_path, name, content):
    inputs = read_inputs([written(name, content)])
    assert [(item.path, item.name) for item in inputs] == [
        (tmp_path / path, name) for path, name in TWO]


def test_inputs_without_a_list_and_absolute_paths(written, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    listed = written("list.json", json.dumps([str(tmp_path / "a.nrrd")]))
    (tmp_path / "folder.csv").mkdir()
    inputs = read_inputs([Path("b.nrrd"), Path("list.json"), Path("folder.csv")])
    assert inputs == [Input(tmp_path / "b.nrrd"),
                      Input(tmp_path / "a.nrrd", row=f"{listed}, entry 1"),
                      Input(tmp_path / "folder.csv")]


@pytest.mark.parametrize(("name", "content", "words"), [
    ("l.csv", "", "l.csv: a list needs a column 'image', its first line is ''"),
    ("l.csv", "path,name\n1.nii,a\n", "needs a column 'image', its first line is 'path,name'"),
    ("l.csv", "image,name\n", "l.csv: the list of inputs is empty"),
    ("l.csv", "image,name\na.nii,x\n,y\n", "l.csv, line 3: 'image' must be a path, it is ''"),
    ("l.csv", "image,name\na.nii,x,y\n", "line 2: has more values than there are columns: ['y']"),
    ("l.csv", 'image\n"a.nii\n', "l.csv, line 2: is no CSV: unexpected end of data"),
    ("l.csv", b"image\n\xff.nii\n", "l.csv: a list must be UTF-8 text, byte 6 is not"),
    ("l.csv", "image\na\0b.nii\n", "l.csv, line 2: "),
    ("l.json", "", "l.json: is no JSON"),
    ("l.json", "[" * 100_000, "l.json: is no JSON"),
    ("l.json", "[]", "l.json: the list of inputs is empty"),
    ("l.json", '{"image": "a.nii"}', "l.json: must be a list of paths"),
    ("l.json", '["a.nii", 7]', "l.json, entry 2: must be a path or an object"),
    ("l.json", '[{"image": "a.nii", "nam": "b"}]', "entry 1: must be a path or an object"),
    ("l.json", '[{"name": "b"}]', "entry 1: 'image' must be a path, it is None"),
    ("l.json", '[{"image": ["a"]}]', "entry 1: 'image' must be a path, it is ['a']"),
    ("l.json", '[{"image": "a.nii", "name": 7}]', "entry 1: 'name' must be text, it is 7"),
    ("l.csv", "image,name\na.nii,x\nb.nii,X\n", "l.csv, line 3: every name must occur once, 'X' "
                                                "is in "),
])
def test_an_invalid_list_is_refused(written, name, content, words):
    with pytest.raises(InputError) as error:
        read_inputs([written(name, content)])
    assert words in str(error.value)


def test_a_list_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"l\.csv: the list cannot be read: No such file"):
        read_inputs([tmp_path / "l.csv"])


@pytest.mark.parametrize("name", [
    "../a", "a/../../b", "/etc/a", "a//b", "a/", ".", "..", ".hidden", "a/.metaunetr-1", "C:a",
    "a\\b", "..\\a", "a\nb", "a\0b", "a.", "a /b", " ", "\u202ea", "a|b", "\udcff",
])
def test_names_stay_in_the_output_folder(written, name):
    path = written("l.json", json.dumps([{"image": "a.nii", "name": name}]))
    with pytest.raises(InputError, match=r"entry 1: 'name' must be a path inside the output"):
        read_inputs([path])


def test_cases_have_the_names_of_the_list(image, series, written, tmp_path):
    image("a.nii.gz")
    image("folder/b.nrrd")
    image("folder/deep/c.nrrd")
    image("plain/d.mha")
    series("study")
    several = series("both", "1.1")[0]
    series("both", "1.2", number="2")
    path = written("l.json", json.dumps([
        {"image": "in/a.nii.gz", "name": "p/1"}, {"image": "in/folder", "name": "p 2"},
        {"image": "in/study", "name": "3"}, {"image": str(several), "name": "größe 4"},
        "in/plain/d.mha", {"image": "in/missing.nii", "name": "gone"},
    ]))
    found = discover([path], tmp_path / "out")
    assert [case.name for case in make_cases(found.found, tmp_path / "out", ".seg.nrrd")] == [
        "p/1", "p 2/b", "p 2/deep/c", "3", "größe 4", "d", "gone"]


def test_what_a_list_names_twice_is_left_out_once(image, written, tmp_path):
    twice = image("a.nii.gz")
    path = written("l.csv", "image\nin/a.nii.gz\nin/b.nii.gz\nin/a.nii.gz\n")
    found = discover([path], tmp_path)
    assert [item.path for item in found.found] == [twice, tmp_path / "in" / "b.nii.gz"]
    assert found.left_out == [(Path("a.nii.gz"), "l.csv, line 4 names it again")]


def test_a_folder_that_a_list_names_again_is_left_out(image, written, tmp_path):
    image("1/a.nrrd")
    image("2/b.nrrd")
    path = written("l.csv", "image,name\nin/2,two\nin,all\nin/1,one\n")
    found = discover([path], tmp_path)
    assert [str(item.relative_path) for item in found.found] == ["two/b.nrrd", "all/1/a.nrrd"]
    assert found.left_out == [(Path("1"), "l.csv, line 4 names it again")]


def test_thousands_of_lines(written):
    lines = "".join(f"ct/{n}.nii.gz,patient {n}\n" for n in range(5000))
    inputs = read_inputs([written("l.csv", "image,name\n" + lines)])
    assert len(inputs) == 5000
    assert os.path.basename(inputs[-1].path) == "4999.nii.gz"
