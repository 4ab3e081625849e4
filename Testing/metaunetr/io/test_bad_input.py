"""What cannot be segmented is refused in one sentence that names the file and the reason."""

from __future__ import annotations

import builtins
import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from makers import Makers
from metaunetr.errors import InputError
from metaunetr.image import Grid, Image
from metaunetr.io import read_image, read_labels, write_image
from metaunetr.io.nifti import HEADER

try:
    import resource
except ImportError:  # Windows
    resource = None

bad = Makers()  # of files, with words that the message must contain


def nifti(folder: Path, ct: Image, name: str = "ct.nii", **fields) -> Path:
    """`ct` as NIfTI with header fields overwritten."""
    path = folder / "plain.nii"
    write_image(path, ct)
    raw = bytearray(path.read_bytes())
    header = np.frombuffer(raw, HEADER, count=1)[0].copy()
    for field, value in fields.items():
        header[field] = value
    raw[:HEADER.itemsize] = header.tobytes()
    path = folder / name
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def nrrd(folder: Path, data: bytes = bytes(4 * 5 * 6 * 2), **fields: str) -> Path:
    """A NRRD of 4 × 5 × 6 zeros with header fields overwritten; None leaves a field out."""
    header = {
        "type": "short", "dimension": "3", "space": "left-posterior-superior",
        "sizes": "4 5 6", "space directions": "(1,0,0) (0,1,0) (0,0,1)",
        "kinds": "domain domain domain", "endian": "little", "encoding": "raw",
        "space origin": "(0,0,0)",
    } | {key.replace("_", " "): value for key, value in fields.items()}
    lines = [f"{key}: {value}" for key, value in header.items() if value is not None]
    path = folder / "ct.nrrd"
    path.write_bytes("\n".join(["NRRD0004", *lines, "", ""]).encode() + data)
    return path


def mha(folder: Path, data: bytes = bytes(4 * 5 * 6 * 2), **fields: str) -> Path:
    header = {
        "ObjectType": "Image", "NDims": "3", "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False", "TransformMatrix": "1 0 0 0 1 0 0 0 1",
        "Offset": "0 0 0", "ElementSpacing": "1 1 1", "DimSize": "4 5 6",
        "ElementType": "MET_SHORT",
    } | fields | {"ElementDataFile": "LOCAL"}
    path = folder / "ct.mha"
    text = "".join(f"{key} = {value}\n" for key, value in header.items())
    path.write_bytes(text.encode() + data)
    return path


@bad("no such file")
def a_missing_file(folder, ct):
    return folder / "nothing.nii.gz"


@bad("cannot be read", "too long")
def a_name_that_no_disk_holds(folder, ct):
    return folder / ("x" * 256 + ".nii.gz")


@bad("empty", "0 bytes")
def an_empty_file(folder, ct):
    (folder / "ct.nrrd").touch()
    return folder / "ct.nrrd"


@bad("no DICOM images")
def a_folder_without_images(folder, ct):
    (folder / "readme.txt").write_text("nothing here")
    return folder


@bad("not known by its name", ".nii.gz")
def an_unknown_suffix(folder, ct):
    (folder / "ct.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    return folder / "ct.jpg"


@bad("not a NIfTI file", "Patient")
def text_named_nii_gz(folder, ct):
    (folder / "ct.nii.gz").write_text("Patient;Diagnosis\n" * 100)
    return folder / "ct.nii.gz"


@bad("not a NIfTI file")
def a_short_text_named_nii(folder, ct):
    (folder / "ct.nii").write_text("hello")
    return folder / "ct.nii"


@bad("not a NIfTI file", "NRRD")
def a_nrrd_named_nii(folder, ct):
    return nrrd(folder).rename(folder / "ct.nii")


@bad("not a NRRD file")
def a_nifti_named_nrrd(folder, ct):
    return nifti(folder, ct).rename(folder / "ct.nrrd")


@bad("not a MetaImage file")
def text_named_mha(folder, ct):
    (folder / "ct.mha").write_text("hello\n" * 50)
    return folder / "ct.mha"


@bad("not a readable DICOM image")
def text_named_dcm(folder, ct):
    (folder / "ct.dcm").write_text("hello\n" * 50)
    return folder / "ct.dcm"


@bad("truncated")
def a_truncated_gzip(folder, ct):
    path = nifti(folder, ct, "ct.nii.gz")
    path.write_bytes(path.read_bytes()[:-1000])
    return path


@bad("damaged")
def a_gzip_with_a_flipped_bit(folder, ct):
    path = nifti(folder, ct, "ct.nii.gz")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0x10
    path.write_bytes(raw)
    return path


@bad("truncated", "46080 bytes", "46070 are there")
def a_truncated_nii(folder, ct):
    path = nifti(folder, ct)
    path.write_bytes(path.read_bytes()[:-10])
    return path


@bad("truncated", "240 bytes")
def a_truncated_mha(folder, ct):
    return mha(folder, bytes(100))


@bad("truncated")
def a_truncated_compressed_mha(folder, ct):
    path = folder / "ct.mha"
    write_image(path, ct)
    path.write_bytes(path.read_bytes()[:-1000])
    return path


@bad("truncated", "240 bytes", "100 are there")
def a_truncated_nrrd(folder, ct):
    return nrrd(folder, bytes(100))


@bad("truncated", "before their end")
def a_truncated_compressed_nrrd(folder, ct):
    path = folder / "ct.nrrd"
    write_image(path, ct)
    path.write_bytes(path.read_bytes()[:-1000])
    return path


@bad("10000 × 10000 × 10000", "1e+12 voxels")
def a_nifti_that_claims_a_trillion_voxels(folder, ct):
    return nifti(folder, ct, dim=[3, 10000, 10000, 10000, 1, 1, 1, 1])


@bad("10000 × 10000 × 10000", "1e+12 voxels")
def a_nrrd_that_claims_a_trillion_voxels(folder, ct):
    return nrrd(folder, sizes="10000 10000 10000")


@bad("10000 × 10000 × 10000", "1e+12 voxels")
def an_mha_that_claims_a_trillion_voxels(folder, ct):
    return mha(folder, DimSize="10000 10000 10000")


@bad("512 × 512 × 4000", "cannot hold")
def a_small_gzip_that_claims_a_large_image(folder, ct):
    return nifti(folder, ct, "ct.nii.gz", dim=[3, 512, 512, 4000, 1, 1, 1, 1])


@bad("512 × 512 × 4000", "cannot hold")
def a_small_nrrd_that_claims_a_large_image(folder, ct):
    return nrrd(folder, encoding="gzip", sizes="512 512 4000")


@bad("every size must be positive", "48 × -3 × 12")
def a_negative_size(folder, ct):
    return nifti(folder, ct, dim=[3, 48, -3, 12, 1, 1, 1, 1])


@bad("cannot begin at byte nan")
def voxels_at_no_place_in_the_file(folder, ct):
    return nifti(folder, ct, vox_offset=np.nan)


@bad("truncated", "0 are there")
def voxels_beyond_the_end_of_the_file(folder, ct):
    return nifti(folder, ct, vox_offset=1e6)


@bad("number of axes", "1000")
def an_impossible_number_of_axes(folder, ct):
    return nifti(folder, ct, dim=[1000, 48, 40, 12, 1, 1, 1, 1])


@bad("three axes", "2")
def a_flat_nifti(folder, ct):
    return nifti(folder, ct, dim=[2, 48, 40, 1, 1, 1, 1, 1])


@bad("three axes", "2")
def a_flat_nrrd(folder, ct):
    return nrrd(folder, dimension="2", sizes="4 5", space=None, space_directions=None,
                space_origin=None, kinds="domain domain", spacings="1 1")


@bad("one three-dimensional image", "24 × 40 × 12 × 2", "one frame")
def a_nifti_with_two_frames(folder, ct):
    return nifti(folder, ct, dim=[4, 24, 40, 12, 2, 1, 1, 1])


@bad("one three-dimensional image", "4 × 5 × 3 × 2")
def an_mha_with_two_frames(folder, ct):
    return mha(folder, NDims="4", DimSize="4 5 3 2", ElementSpacing="1 1 1 1", Offset="0 0 0 0",
               TransformMatrix="1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1")


@bad("2 components")
def a_nrrd_with_two_frames(folder, ct):
    return nrrd(folder, dimension="4", sizes="2 4 5 3", kinds="list domain domain domain",
                space_directions="none (1,0,0) (0,1,0) (0,0,1)")


@bad("real numbers", "RGB")
def a_coloured_nifti(folder, ct):
    return nifti(folder, ct, datatype=128)


@bad("real numbers", "complex")
def a_complex_nifti(folder, ct):
    return nifti(folder, ct, datatype=32)


@bad("real numbers", "data type 1536")
def a_nifti_of_long_doubles(folder, ct):
    return nifti(folder, ct, datatype=1536)


@bad("3 components")
def a_coloured_mha(folder, ct):
    path = folder / "ct.mha"
    sitk.WriteImage(sitk.Image([4, 5, 6], sitk.sitkVectorUInt8, 3), str(path))
    return path


@bad("right angles", "off by 5.71°")
def a_sheared_nifti(folder, ct):
    affine = np.array([[1, 0, 0.1, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    return nifti(folder, ct, srow=affine, qform_code=0)


@bad("right angles")
def a_sheared_nrrd(folder, ct):
    return nrrd(folder, space_directions="(1,0,0) (0,1,0) (0,0.1,1)")


@bad("right angles")
def a_sheared_mha(folder, ct):
    return mha(folder, TransformMatrix="1 0 0 0 1 0 0 0.0995 0.995")


@bad("degenerate")
def a_nifti_whose_axes_coincide(folder, ct):
    affine = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]])
    return nifti(folder, ct, srow=affine, qform_code=0)


@bad("degenerate")
def a_nrrd_whose_axes_coincide(folder, ct):
    return nrrd(folder, space_directions="(1,0,0) (1,0,0) (0,0,1)")


@bad("degenerate")
def an_mha_whose_axes_coincide(folder, ct):
    return mha(folder, TransformMatrix="1 0 0 1 0 0 0 0 1")


@bad("finite and positive", "0.0")
def zero_spacing_in_the_sform(folder, ct):
    affine = np.array([[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    return nifti(folder, ct, srow=affine, qform_code=0)


@bad("finite and positive", "-5.0")
def negative_spacing_in_the_qform(folder, ct):
    return nifti(folder, ct, pixdim=[1, 1, 1, -5, 0, 0, 0, 0], sform_code=0)


@bad("finite and positive", "nan")
def spacing_that_is_no_number(folder, ct):
    return nifti(folder, ct, pixdim=[1, 1, 1, np.nan, 0, 0, 0, 0], sform_code=0)


@bad("not finite")
def a_position_at_infinity(folder, ct):
    return nifti(folder, ct, qoffset=[np.inf, 0, 0], sform_code=0)


@bad("finite and positive", "0.0")
def zero_spacing_in_an_mha(folder, ct):
    return mha(folder, ElementSpacing="1 1 0")


@bad("finite and positive", "nan")
def spacing_that_is_no_number_in_a_nrrd(folder, ct):
    return nrrd(folder, space_directions="(1,0,0) (0,1,0) (0,0,nan)")


@bad("sform and qform", "differently")
def two_orientations_that_disagree(folder, ct):
    return nifti(folder, ct, qoffset=[0, 0, 0])


@bad("left and right are unknown")
def a_nifti_without_orientation(folder, ct):
    return nifti(folder, ct, qform_code=0, sform_code=0)


@bad("left and right are unknown")
def a_nrrd_without_orientation(folder, ct):
    return nrrd(folder, space=None, space_directions=None, space_origin=None, spacings="1 1 2")


@bad("unit of length", "5")
def an_unknown_unit(folder, ct):
    return nifti(folder, ct, xyzt_units=5)


@bad("NIfTI-2")
def nifti_2(folder, ct):
    path = folder / "ct.nii"
    path.write_bytes(struct.pack("<i8s", 540, b"n+2\0\r\n\x1a\n") + bytes(1000))
    return path


def peak_memory() -> int:
    """KiB on Linux; 0 where it cannot be told."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if resource else 0


@pytest.mark.parametrize(("maker", "words"), bad)
def test_it_is_refused_in_one_sentence(tmp_path, ct, capfd, maker, words):
    path = maker(tmp_path, ct)
    before = peak_memory()
    with pytest.raises(InputError) as refused:
        read_image(path)
    message = str(refused.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message.removeprefix(str(path))) < 220
    for word in words:
        assert word in message
    assert capfd.readouterr().err == ""
    assert peak_memory() - before < 100_000


def test_a_file_that_may_not_be_read_is_refused(tmp_path, ct, monkeypatch):
    path = nifti(tmp_path, ct)
    real = builtins.open

    def denied(file, *args, **kwargs):
        if Path(file) == path:
            raise PermissionError(13, "Permission denied", str(file))
        return real(file, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", denied)
    with pytest.raises(InputError, match=r"ct\.nii: cannot be read: Permission denied"):
        read_image(path)


@pytest.mark.parametrize(("voxels", "words"), [
    (np.float32([0, 1.5]), "whole numbers"),
    (np.int16([-1, 3]), "0 to 255"),
    (np.int16([0, 256]), "0 to 255"),
    (np.float32([0, np.nan]), "0 to 255"),
])
def test_what_is_no_label_map_is_refused(tmp_path, voxels, words):
    array = np.tile(voxels, (4, 4, 2))
    write_image(tmp_path / "labels.nii.gz", Image(array, Grid(array.shape, (1, 1, 1), (0, 0, 0))))
    with pytest.raises(InputError, match=words):
        read_labels(tmp_path / "labels.nii.gz")
