"""DICOM SEG: codes, colours, places; and when it cannot be made."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from metaunetr import organs
from metaunetr.errors import OutputError
from metaunetr.image import Image
from metaunetr.io import prepare_output, read_image, write_labels
from metaunetr.result import Result


@pytest.fixture
def dicom_result(tmp_path, ct, result, write_series):
    """`result` on a tilted DICOM series."""
    write_series(tmp_path / "series", Image(ct.array, result.labels.grid))
    image = read_image(tmp_path / "series")
    labels = Image(result.labels.array, image.grid, image.source, image.dicom_files)
    return Result(labels, result.organs, result.record)


def test_segments_carry_codes_and_lie_at_their_place(tmp_path, dicom_result):
    hd = pytest.importorskip("highdicom")
    path = prepare_output(tmp_path / "out.dcm", dicom_result.labels)
    write_labels(path, dicom_result)

    seg = hd.seg.segread(path)
    found = [organs.BY_NUMBER[number] for number in (1, 2, 3, 6)]
    assert list(seg.segment_numbers) == [1, 2, 3, 4]
    for number, organ in zip(seg.segment_numbers, found, strict=True):
        description = seg.get_segment_description(number)
        assert description.segment_label == organ.name
        assert description.segmented_property_category.value == organs.CATEGORY[1]
        assert description.segmented_property_type.value == organ.code[1]
        assert_allclose(
            hd.color.CIELabColor.from_dicom_value(description.RecommendedDisplayCIELabValue)
            .to_rgb(), organ.colour, atol=2)
        modifiers = [
            code.CodeValue for code in
            getattr(description.SegmentedPropertyTypeCodeSequence[0],
                    "SegmentedPropertyTypeModifierCodeSequence", [])
        ]
        assert modifiers == ([organ.side[1]] if organ.side else [])
        parameters = description.SegmentationAlgorithmIdentificationSequence[0]
        assert "ab" * 32 in parameters.AlgorithmParameters

    volume = seg.get_volume(combine_segments=True)
    numbers = np.array([0, *(organ.number for organ in found)])[volume.array]
    grid = dicom_result.labels.grid
    # Empty slices are left out and the order of slices is free: compare places in the patient.
    inside = np.argwhere(numbers)
    places = (volume.affine @ np.c_[inside, np.ones(len(inside))].T)[:3].T
    kji = np.argwhere(dicom_result.labels.array)
    expected = (grid.affine @ np.c_[kji[:, ::-1], np.ones(len(kji))].T)[:3].T
    order, wanted = (np.lexsort(np.round(p, 2).T) for p in (places, expected))
    assert_allclose(places[order], expected[wanted], atol=1e-3)
    assert_array_equal(
        numbers[tuple(inside.T)][order], dicom_result.labels.array[tuple(kji.T)][wanted]
    )


def test_an_input_that_was_not_dicom_is_refused(tmp_path, ct, result):
    pytest.importorskip("highdicom")
    for attempt in (lambda path: prepare_output(path, ct), lambda path: write_labels(path, result)):
        with pytest.raises(OutputError, match=r"out\.dcm: DICOM SEG refers .* choose \.seg\.nrrd"):
            attempt(tmp_path / "out.dcm")
    assert list(tmp_path.iterdir()) == []


def test_without_highdicom_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(OutputError, match=r"needs highdicom; .* metaunetr\[dicom\]"):
        prepare_output(tmp_path / "out.dcm")


def test_nothing_found_makes_no_file(tmp_path, dicom_result):
    pytest.importorskip("highdicom")
    empty = Result(dicom_result.labels, (dicom_result.organs[3],), {})
    with pytest.raises(OutputError, match=r"out\.dcm: no organ was found"):
        write_labels(tmp_path / "out.dcm", empty)
    assert not (tmp_path / "out.dcm").exists()
