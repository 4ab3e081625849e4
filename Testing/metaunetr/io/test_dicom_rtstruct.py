"""RTSTRUCT: contours that enclose the labels, in the planes of the slices that they name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

pytest.importorskip("pydicom")

import pydicom

import dicom_series
from dicom_kinds import KINDS, segmented, validated
from metaunetr import organs
from metaunetr.errors import OutputError
from metaunetr.image import Image
from metaunetr.io import check_labels, prepare_output, read_image, write_labels
from metaunetr.io.dicom.header import read_header
from metaunetr.io.dicom.multiframe import frames_of
from metaunetr.result import Result
from polygons import alternating, united


@pytest.fixture
def result(result) -> Result:
    """Also with a hole, and an island in it."""
    array = result.labels.array.copy()
    array[5:9, 10:18, 10:22] = 0
    array[6:8, 13:15, 14:17] = 6
    organs = tuple(item for item in result.organs if item.organ.number != 4)
    return Result(Image(array, result.labels.grid), organs, result.record)


def labels_in(structures, result: Result, fill) -> np.ndarray:
    """Organ numbers (D, H, W) on the grid of `result`; also: each contour lies in its slice."""
    grid = result.labels.grid
    planes = places_of(result)
    labels = np.zeros(grid.shape, np.uint8)
    names = {item.ROINumber: item.ROIName for item in structures.StructureSetROISequence}
    for region in structures.ROIContourSequence:
        number = organs.BY_NAME[names[region.ReferencedROINumber]].number
        polygons = {}
        for contour in region.ContourSequence:
            assert contour.ContourGeometricType == "CLOSED_PLANAR"
            points = np.reshape(np.array(contour.ContourData, float), (-1, 3))
            assert len(points) == contour.NumberOfContourPoints
            i, j, k, _ = np.linalg.inv(grid.affine) @ np.pad(
                points, ((0, 0), (0, 1)), constant_values=1).T
            (image,) = contour.ContourImageSequence
            place = planes[image.ReferencedSOPInstanceUID, image.get("ReferencedFrameNumber")]
            assert np.abs(k - place).max() < 1e-3
            polygons.setdefault(place, []).append(np.column_stack([i, j]))
        for place, items in polygons.items():
            labels[place][fill(items, grid.shape[1:])] = number
    return labels


def places_of(result: Result) -> dict[tuple[str, int | None], int]:
    """k of each slice or frame of the CT, by UID and number of the frame."""
    grid, places = result.labels.grid, {}
    for file in result.labels.dicom_files:
        for plane in frames_of(read_header(Path(file))):
            along = (plane.position - grid.origin) @ grid.direction[:, 2]
            number = None if plane.frame is None else plane.frame + 1
            places[plane.text("SOPInstanceUID"), number] = round(along / grid.spacing[2])
    return places


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_it_is_valid_and_gives_the_labels_back(tmp_path, ct, result, make):
    make(tmp_path / "ct", ct)
    labelled = segmented(tmp_path / "ct", result)
    path = prepare_output(tmp_path / "out.rtstruct.dcm")
    write_labels(path, labelled)

    structures = pydicom.dcmread(path)
    for fill in (united, alternating):
        assert_array_equal(labels_in(structures, labelled, fill), labelled.labels.array)
    source = pydicom.dcmread(labelled.labels.dicom_files[0], force=True)
    (frame,) = structures.ReferencedFrameOfReferenceSequence
    (study,) = frame.RTReferencedStudySequence
    (series,) = study.RTReferencedSeriesSequence
    assert frame.FrameOfReferenceUID == structures.FrameOfReferenceUID == source.FrameOfReferenceUID
    assert study.ReferencedSOPInstanceUID == structures.StudyInstanceUID == source.StudyInstanceUID
    assert series.SeriesInstanceUID == source.SeriesInstanceUID
    assert {(item.ReferencedSOPInstanceUID, item.get("ReferencedFrameNumber"))
            for item in series.ContourImageSequence} == places_of(labelled).keys()
    for name in ("PatientName", "PatientID"):
        assert str(structures[name].value) == str(source.get(name, ""))
    assert validated(path) == []


def test_regions_carry_names_codes_and_colours(tmp_path, ct, result):
    KINDS["axial"](tmp_path / "ct", ct)
    write_labels(tmp_path / "out.rtstruct.dcm", segmented(tmp_path / "ct", result))
    structures = pydicom.dcmread(tmp_path / "out.rtstruct.dcm")
    found = [organs.BY_NUMBER[number] for number in (1, 2, 3, 6)]
    for organ, region, contours, observation in zip(
            found, structures.StructureSetROISequence, structures.ROIContourSequence,
            structures.RTROIObservationsSequence, strict=True):
        assert {region.ROINumber, contours.ReferencedROINumber,
                observation.ReferencedROINumber} == {organ.number}
        assert (region.ROIName, region.ROIGenerationAlgorithm) == (organ.name, "AUTOMATIC")
        assert tuple(contours.ROIDisplayColor) == organ.colour
        assert observation.RTROIInterpretedType == "ORGAN"
        (code,) = observation.RTROIIdentificationCodeSequence
        assert (code.CodingSchemeDesignator, code.CodeValue, code.CodeMeaning) == organ.code
        modifiers = code.get("SegmentedPropertyTypeModifierCodeSequence", [])
        assert [item.CodeValue for item in modifiers] == (
            [organ.side[1]] if organ.side else [])


def test_it_refers_to_several_multi_frame_files(tmp_path, ct, result):
    for name, order in (("a", range(6)), ("b", range(6, 12))):
        dicom_series.write_enhanced(tmp_path / "ct" / f"{name}.dcm", ct, order=order)
    labelled = segmented(tmp_path / "ct", result)
    write_labels(tmp_path / "out.rtstruct.dcm", labelled)
    structures = pydicom.dcmread(tmp_path / "out.rtstruct.dcm")
    assert_array_equal(labels_in(structures, labelled, united), labelled.labels.array)


def test_contours_lie_on_the_slices_of_a_tilted_gantry(tmp_path, ct, result):
    paths = dicom_series.write_series(tmp_path / "ct", ct)
    dicom_series.tilt(paths, 10, ct.grid.spacing[2])
    image = read_image(tmp_path / "ct")
    array = np.zeros(image.grid.shape, np.uint8)
    array[2:9, 12:25, 10:30] = 6
    labels = replace(image, array=array)
    write_labels(tmp_path / "out.rtstruct.dcm", Result(labels, result.organs[-1:], {}))
    structures = pydicom.dcmread(tmp_path / "out.rtstruct.dcm")

    found = np.zeros(ct.array.shape, bool)
    files = {str(pydicom.dcmread(path).SOPInstanceUID): k for k, path in enumerate(paths)}
    for contour in structures.ROIContourSequence[0].ContourSequence:
        k = files[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]
        points = np.reshape(np.array(contour.ContourData, float), (-1, 3))
        points -= pydicom.dcmread(paths[k]).ImagePositionPatient
        assert np.abs(points[:, 2]).max() < 1e-3
        found[k] |= united([points[:, :2] / ct.grid.spacing[:2]], ct.array.shape[1:])
    assert_array_equal(found, labels.on_slices() == 6)
    assert found.any()


def test_an_input_that_was_not_dicom_is_refused(tmp_path, ct, result):
    path = tmp_path / "out.rtstruct.dcm"
    for attempt in (lambda: check_labels(path, ct), lambda: write_labels(path, result)):
        with pytest.raises(OutputError, match=r"dcm: RTSTRUCT refers .* choose \.seg\.nrrd"):
            attempt()
    assert list(tmp_path.iterdir()) == []


def test_nothing_found_makes_no_file(tmp_path, ct, result):
    KINDS["axial"](tmp_path / "ct", ct)
    labelled = segmented(tmp_path / "ct", result)
    with pytest.raises(OutputError, match="no organ was found"):
        write_labels(tmp_path / "out.rtstruct.dcm", Result(labelled.labels, (), {}))
    assert not (tmp_path / "out.rtstruct.dcm").exists()
