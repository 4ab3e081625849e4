"""The .seg.nrrd header, and reading it back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_array_equal

from metaunetr import organs
from metaunetr.errors import InputError
from metaunetr.image import Image
from metaunetr.io import read_labels, write_labels
from metaunetr.io.image_info import describe
from metaunetr.io.nrrd import write_nrrd
from metaunetr.io.seg_nrrd import content_digest, cropped, organ_of, terminology_entry


def header_of(path) -> dict[str, str]:
    image = sitk.ReadImage(str(path))
    return {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}


def test_only_organs_found_become_segments(tmp_path, result):
    write_labels(tmp_path / "out.seg.nrrd", result)
    header = header_of(tmp_path / "out.seg.nrrd")
    ids = [header[f"Segment{n}_ID"] for n in range(4)]
    assert ids == ["spleen", "right_kidney", "left_kidney", "liver"]
    assert [header[f"Segment{n}_LabelValue"] for n in range(4)] == ["1", "2", "3", "6"]
    assert "Segment4_ID" not in header
    assert header["Segment3_Name"] == "liver"
    assert header["Segment3_Color"] == "0.866667 0.509804 0.396078"
    assert header["Segment3_Extent"] == "0 47 0 39 0 11"


def test_tags_keep_what_slicer_would_cut(tmp_path, result):
    write_labels(tmp_path / "out.seg.nrrd", result)
    segments = describe(tmp_path / "out.seg.nrrd")["segments"]
    liver = segments[3]["tags"]
    assert liver["MetaUNETR.Flags"] == "touches the border / of the image"
    assert liver["MetaUNETR.Confidence"] == "0.938"
    assert float(liver["MetaUNETR.VolumeML"]) == pytest.approx(6 * 12 * 16 * 0.3, abs=1e-3)
    assert liver["MetaUNETR.Model"] == "abdomen13-2mm"
    assert liver["MetaUNETR.ModelSHA256"] == "ab" * 32
    assert "MetaUNETR.Flags" not in segments[0]["tags"]


def test_a_tag_shows_whether_the_voxels_of_a_segment_have_changed(tmp_path, result):
    write_labels(tmp_path / "out.seg.nrrd", result)
    tag = describe(tmp_path / "out.seg.nrrd")["segments"][3]["tags"]["MetaUNETR.Voxels"]
    liver = cropped(replace(result.labels, array=result.labels.array == 6))
    digest, *place = tag.split()
    assert digest == content_digest(liver.array)
    assert np.array(place, float) == pytest.approx(liver.grid.origin, abs=1e-3)
    liver.array[0, 0, 0] ^= True
    assert digest != content_digest(liver.array)


def test_the_record_comes_back(tmp_path, result):
    write_labels(tmp_path / "out.seg.nrrd", result)
    assert describe(tmp_path / "out.seg.nrrd")["record"] == result.record
    raw = (tmp_path / "out.seg.nrrd").read_bytes()
    raw[:raw.index(b"\n\n")].decode("ascii")


@pytest.mark.parametrize("organ", organs.ORGANS, ids=lambda organ: organ.key)
def test_terminology_tells_the_organ(organ):
    entry = terminology_entry(organ)
    context, category, kind, modifier, *region = entry.split("~")
    vocabulary = "MetaUNETR" if organ.number in (10, 16) else "DICOM master list"
    assert context == f"Segmentation category and type - {vocabulary}"
    assert category == "SCT^123037004^Anatomical Structure"
    assert kind == "^".join(organ.code)
    assert modifier == ("^".join(organ.side) if organ.side else "^^")
    assert region == ["Anatomic codes - DICOM master list", "^^", "^^"]
    segment = {"id": "Segment_1", "name": "renamed", "tags": {"TerminologyEntry": entry}}
    assert organ_of(segment) == organ


def segments(*rows) -> dict[str, str]:
    """A header with (id, name, label value, tags) of each segment."""
    header = {}
    for number, (key, name, label, tags) in enumerate(rows):
        header |= {
            f"Segment{number}_ID": key, f"Segment{number}_Name": name,
            f"Segment{number}_LabelValue": str(label), f"Segment{number}_Tags": tags,
        }
    return header


SPLEEN = f"TerminologyEntry:{terminology_entry(organs.BY_NUMBER[1])}|"
READ = {
    "by terminology": (segments(("Segment_1", "Milz", 1, SPLEEN)), 1),
    "by name": (segments(("Segment_1", "Left  Kidney", 1, "")), 3),
    "by ID": (segments(("inferior_vena_cava", "IVC", 1, "")), 9),
    "without segments: values stay": ({}, 1),
}


@pytest.mark.parametrize(("header", "expected"), READ.values(), ids=READ.keys())
def test_label_values_become_organ_numbers(tmp_path, result, header, expected):
    """Slicer numbers segments as it likes when it saves."""
    box = (result.labels.array == 6).astype(np.uint8)
    write_nrrd(tmp_path / "a.seg.nrrd", Image(box, result.labels.grid), header)
    assert_array_equal(read_labels(tmp_path / "a.seg.nrrd").array, box * expected)


def test_renumbered_segments_are_exchanged(tmp_path, result):
    names = segments(("a", "liver", 1, ""), ("b", "spleen", 6, ""))
    write_nrrd(tmp_path / "a.seg.nrrd", result.labels, names)
    expected = result.labels.array.copy()
    expected[result.labels.array == 1] = 6
    expected[result.labels.array == 6] = 1
    expected[(result.labels.array == 2) | (result.labels.array == 3)] = 0  # of no segment
    assert_array_equal(read_labels(tmp_path / "a.seg.nrrd").array, expected)


@pytest.mark.parametrize(("key", "value"), [
    ("LabelValue", "two"), ("LabelValue", "-1"), ("LabelValue", "256"), ("Layer", "9" * 5000),
])
def test_label_values_that_are_none_are_refused(tmp_path, result, key, value):
    write_nrrd(tmp_path / "a.seg.nrrd", result.labels,
              segments(("a", "liver", 1, "")) | {f"Segment0_{key}": value})
    with pytest.raises(InputError, match=rf"Segment0_{key} must be .* 0 to 255: '{value[:40]}'"):
        read_labels(tmp_path / "a.seg.nrrd")


def test_names_that_are_not_utf_8_are_read(tmp_path, result):
    path = tmp_path / "a.seg.nrrd"
    write_labels(path, result)
    path.write_bytes(path.read_bytes().replace(b"Segment0_Name:=", b"Segment0_Name:=\xe4 "))
    assert_array_equal(read_labels(path).array, result.labels.array)


@pytest.mark.parametrize(("first", "strangers"), [
    ("liver", "tumour"), ("kidney_right", "kidney_right, tumour")])
def test_segments_that_are_no_organs_are_refused(tmp_path, result, first, strangers):
    names = segments(("a", first, 1, ""), ("b", "tumour", 6, ""))
    write_nrrd(tmp_path / "a.seg.nrrd", result.labels, names)
    with pytest.raises(InputError, match=f"these are not: {strangers}; rename them"):
        read_labels(tmp_path / "a.seg.nrrd")


def test_overlapping_segments_are_refused(tmp_path):
    layers = sitk.GetImageFromArray(np.zeros((3, 4, 5, 2), np.uint8), isVector=True)
    sitk.WriteImage(layers, str(tmp_path / "a.seg.nrrd"))
    with pytest.raises(InputError, match=r"2 components .*overlapping segments"):
        read_labels(tmp_path / "a.seg.nrrd")


def test_the_record_of_a_damaged_header_is_left_out(tmp_path, result):
    write_nrrd(tmp_path / "a.seg.nrrd", result.labels, {"MetaUNETR_Record": "{cut"})
    assert describe(tmp_path / "a.seg.nrrd")["record"] == {}
