"""Several volumes in a folder or series: acquisitions, copies, localizers, screenshots."""

from __future__ import annotations

import shutil

import pytest
from numpy.testing import assert_array_equal

from metaunetr.errors import InputError
from metaunetr.guard import inspect_ct
from metaunetr.image import Grid, Image
from metaunetr.io import dicom, read_image

dicom_series = pytest.importorskip("dicom_series", reason="series are written with pydicom")
edit, write_series = dicom_series.edit, dicom_series.write_series

UID = "1.2.3.4"


@pytest.fixture
def later(ct: Image) -> Image:
    """`ct` after contrast."""
    return Image(ct.array + 9, ct.grid)


TOLD_APART = {
    "acquisition 1": ("AcquisitionNumber", [1, 2]),
    "time point 1": ("TemporalPositionIdentifier", [1, 2]),
    "image type": ("ImageType", [["ORIGINAL", "PRIMARY"], ["DERIVED", "SECONDARY"]]),
    "kernel B30f": ("ConvolutionKernel", ["B30f", "B70f"]),
    "content time 120000": ("ContentTime", ["120000", "120130"]),
}


@pytest.mark.parametrize(("name", "element"), TOLD_APART.items(), ids=TOLD_APART)
def test_volumes_of_one_series_are_told_apart(tmp_path, ct, later, name, element):
    keyword, (one, two) = element
    first = write_series(tmp_path, ct, "a", SeriesInstanceUID=UID, **{keyword: one})
    second = write_series(tmp_path, later, "b", SeriesInstanceUID=UID, **{keyword: two})
    assert_array_equal(read_image(first[0]).array, ct.array)
    assert_array_equal(read_image(second[5]).array, later.array)
    assert sorted(len(s) for s in dicom.scan_folder(tmp_path)[0].values()) == [12, 12]
    with pytest.raises(InputError, match="2 volumes in one series; name a file") as refused:
        read_image(tmp_path)
    for part in (name, "12 slices: a000.dcm", "12 slices: b000.dcm"):
        assert part in str(refused.value)


@pytest.mark.parametrize(("keyword", "one", "two"), [
    ("AcquisitionNumber", 1, 2), ("ConvolutionKernel", "B30f", "B70f")])
def test_slices_between_those_of_another_volume_are_no_finer_one(
        tmp_path, ct, later, keyword, one, two):
    grid = Grid(ct.grid.shape, ct.grid.spacing, (-120.5, -80.25, 302.625))
    write_series(tmp_path, ct, "a", SeriesInstanceUID=UID, **{keyword: one})
    second = write_series(tmp_path, Image(later.array, grid), "b", SeriesInstanceUID=UID,
                          **{keyword: two})
    assert read_image(second[0]).grid.same_as(grid)
    with pytest.raises(InputError, match="2 volumes in one series"):
        read_image(tmp_path)


def test_acquisitions_behind_each_other_are_one_volume(tmp_path, ct):
    write_series(tmp_path, ct, AcquisitionNumber=lambda k: 1 + k // 7)
    assert_array_equal(read_image(tmp_path).array, ct.array)


def test_volumes_that_nothing_tells_apart_are_refused(tmp_path, ct, later):
    write_series(tmp_path, ct, "a", SeriesInstanceUID=UID)
    write_series(tmp_path, later, "b", SeriesInstanceUID=UID)
    with pytest.raises(InputError, match=r"position must occur once, .* differ; several phases"):
        read_image(tmp_path)


@pytest.mark.parametrize("renamed", [False, True], ids=["same UID", "new UID"])
def test_copies_of_slices_are_left_out_with_a_warning(tmp_path, ct, renamed):
    paths = write_series(tmp_path, ct)
    for k in (0, 5, 6):
        copy = shutil.copy(paths[k], tmp_path / f"zz copy {k}.dcm")
        if renamed:
            edit(copy, SOPInstanceUID=f"1.2.3.{k}")
    image = read_image(tmp_path)
    assert_array_equal(image.array, ct.array)
    assert image.dicom_files == tuple(map(str, paths))
    warning = "3 of 15 DICOM slices are copies of others and were left out."
    assert image.warnings == (warning,)
    assert warning in inspect_ct(image)


def test_a_copy_of_a_phase_is_no_third_phase(tmp_path, ct, later):
    first = write_series(tmp_path, ct, "a", SeriesInstanceUID=UID)
    write_series(tmp_path, later, "b", SeriesInstanceUID=UID, AcquisitionNumber=2)
    shutil.copy(first[3], tmp_path / "copy.dcm")
    assert_array_equal(read_image(first[0]).array, ct.array)


def test_a_changed_copy_is_refused(tmp_path, ct):
    paths = write_series(tmp_path, ct)
    shutil.copy(paths[5], tmp_path / "copy.dcm")
    edit(tmp_path / "copy.dcm", PixelData=bytes(40 * 48 * 2))
    with pytest.raises(InputError, match=r"copy\.dcm and .* are at the same and differ"):
        read_image(tmp_path)


@pytest.mark.parametrize("uid", [UID, "1.2.3.5"], ids=["in the series", "in a series of its own"])
def test_localizers_do_not_matter(tmp_path, ct, uid):
    write_series(tmp_path, ct, SeriesInstanceUID=UID)
    scout = Image(ct.array[:2], Grid((2, 40, 48), (1, 1, 1), (0, -300, 300)))
    paths = write_series(tmp_path, dicom_series.on_axes(scout, (0, 1, 0, 0, 0, -1)), "scout",
                         SeriesInstanceUID=uid, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    assert_array_equal(read_image(tmp_path).array, ct.array)
    with pytest.raises(InputError, match="only its localizer"):
        read_image(paths[0])


def test_a_screenshot_of_the_dose_does_not_matter(tmp_path, ct):
    write_series(tmp_path, ct)
    shot = Image(ct.array[:1], Grid((1, 40, 48), (1, 1, 1), (0, 0, 0)))
    write_series(tmp_path, shot, "dose", SOPClassUID="1.2.840.10008.5.1.4.1.1.7",
                 ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None)
    assert_array_equal(read_image(tmp_path).array, ct.array)


def test_a_directory_file_beside_the_slices_does_not_matter(tmp_path, ct):
    from pydicom.dataset import Dataset, FileMetaDataset

    paths = write_series(tmp_path, ct)
    listing = Dataset()
    listing.file_meta = FileMetaDataset()
    listing.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    listing.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    listing.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    record = Dataset()
    record.DirectoryRecordType, record.Modality = "SERIES", "CT"
    record.SeriesInstanceUID = next(iter(dicom.scan_folder(tmp_path)[0]))[0]
    listing.DirectoryRecordSequence = [record]
    listing.save_as(tmp_path / "DICOMDIR", enforce_file_format=True)
    image = read_image(tmp_path)
    assert (image.warnings, len(image.dicom_files)) == ((), len(paths))
