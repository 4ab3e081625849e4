"""Whatever is wrong ends in one sentence, a documented exit code, and an unchanged folder."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from makers import Makers
from metaunetr.image import Grid, Image
from metaunetr.io import write_image
from metaunetr.io.nifti import HEADER
from tiny_bundle import small_ct, write_bundle

from .conftest import contents, start

bad = Makers()  # of arguments of `segment`, with the exit code and words of the message


def volume(folder: Path, array: np.ndarray, name: str = "bad.nii.gz", **grid) -> Path:
    grid = {"spacing": (7.5, 7.5, 5.0), "origin": (0, 0, 0)} | grid
    write_image(folder / name, Image(array, Grid(array.shape, **grid)))
    return folder / name


def header(folder: Path, **fields) -> Path:
    """The small CT as .nii with header fields overwritten."""
    path = volume(folder, small_ct().array, "bad.nii")
    raw = bytearray(path.read_bytes())
    changed = np.frombuffer(raw, HEADER, count=1)[0].copy()
    for field, value in fields.items():
        changed[field] = value
    raw[:HEADER.itemsize] = changed.tobytes()
    path.write_bytes(raw)
    return path


def series(folder: Path, modality: str = "CT", slices=range(8), name: str = "series") -> Path:
    """A DICOM series of the small CT's first slices."""
    image = sitk.GetImageFromArray(small_ct().array)
    image.SetSpacing((7.5, 7.5, 5.0))
    (folder / name).mkdir(exist_ok=True)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for k in slices:
        flat = image[:, :, k]
        tags = {"0008|0060": modality, "0020|0032": f"0\\0\\{5 * k}", "0018|0050": "5",
                "0020|0037": "1\\0\\0\\0\\1\\0", "0020|000e": f"1.2.3.{len(name)}",
                "0020|000d": "1.2.3", "0008|0018": f"1.2.3.{len(name)}.{k + 1}"}
        for key, value in tags.items():
            flat.SetMetaData(key, value)
        writer.SetFileName(str(folder / name / f"{name}{k}.dcm"))
        writer.Execute(flat)
    return folder / name


@bad(3, "no such file")
def a_missing_file(folder):
    return [folder / "nothing.nii.gz"]


@bad(3, "0 bytes")
def an_empty_file(folder):
    (folder / "bad.nii.gz").touch()
    return [folder / "bad.nii.gz"]


@bad(3, "truncated")
def a_truncated_gzip(folder):
    path = volume(folder, small_ct().array)
    path.write_bytes(path.read_bytes()[:-3000])
    return [path]


@bad(3, "truncated")
def a_truncated_metaimage(folder):
    path = volume(folder, small_ct().array, "bad.mha")
    path.write_bytes(path.read_bytes()[:-3000])
    return [path]


@bad(3, "truncated")
def a_truncated_nrrd(folder):
    path = volume(folder, small_ct().array, "bad.nrrd")
    path.write_bytes(path.read_bytes()[:-3000])
    return [path]


@bad(3, "not a NIfTI file")
def a_text_named_nii_gz(folder):
    (folder / "bad.nii.gz").write_text("Patient;Diagnosis\n" * 100)
    return [folder / "bad.nii.gz"]


@bad(3, "not known by its name")
def a_picture(folder):
    (folder / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    return [folder / "bad.jpg"]


@bad(3, "MR")
def an_mr(folder):
    tissue = np.abs(small_ct().array.astype(int) + 1000) // 2 + 100
    return [volume(folder, np.where(tissue > 200, tissue, 300).astype(np.int16))]


@bad(3, "label map")
def a_label_map(folder):
    return [volume(folder, (small_ct().array > 0).astype(np.uint8))]


@bad(3, "rescaled")
def a_ct_rescaled_to_bytes(folder):
    return [volume(folder, np.clip(small_ct().array / 4 + 100, 0, 255).astype(np.int16))]


@bad(3, "subtract 1024")
def a_ct_without_its_rescale_intercept(folder):
    return [volume(folder, small_ct().array + np.int16(1024))]


@bad(3, "every voxel is -1000")
def an_image_of_nothing(folder):
    return [volume(folder, np.full((24, 40, 48), -1000, np.int16))]


@bad(3, "1 are NaN or infinite")
def a_voxel_that_is_no_number(folder):
    array = small_ct().array.astype(np.float32)
    array[3, 4, 5] = np.nan
    return [volume(folder, array)]


@bad(3, "three-dimensional", "24 × 40 × 24 × 2")
def a_four_dimensional_image(folder):
    return [header(folder, dim=[4, 24, 40, 24, 2, 1, 1, 1])]


@bad(3, "at least 5 slices")
def a_single_slice(folder):
    return [volume(folder, small_ct().array[:1])]


@bad(3, "spacing must be finite and positive")
def zero_spacing(folder):
    return [header(folder, pixdim=[1, 7.5, 7.5, 0, 0, 0, 0, 0], sform_code=0)]


@bad(3, "spacing must lie in", "unit")
def spacing_in_metres(folder):
    return [volume(folder, small_ct().array, spacing=(0.0075, 0.0075, 0.005))]


@bad(3, "right angles")
def a_sheared_image(folder):
    affine = np.array([[7.5, 0, 1, 0], [0, 7.5, 0, 0], [0, 0, 5, 0]])
    return [header(folder, srow=affine, qform_code=0)]


@bad(3, "left and right are unknown")
def an_image_without_orientation(folder):
    return [header(folder, qform_code=0, sform_code=0)]


@bad(3, "1e+12 voxels")
def a_header_that_claims_a_trillion_voxels(folder):
    return [header(folder, dim=[3, 10000, 10000, 10000, 1, 1, 1, 1])]


@bad(3, "no DICOM images")
def a_folder_without_images(folder):
    (folder / "empty").mkdir()
    return [folder / "empty"]


@bad(3, "slices are missing")
def a_dicom_series_with_a_gap(folder):
    return [series(folder, slices=[0, 1, 2, 3, 6, 7])]


@bad(3, "2 CT series")
def two_dicom_series_in_one_folder(folder):
    for path in series(folder, name="other").iterdir():
        shutil.move(path, series(folder))
    return [folder / "series"]


@bad(3, "slice", "cannot be read")
def a_truncated_dicom_slice(folder):
    path = series(folder) / "series3.dcm"
    path.write_bytes(path.read_bytes()[:700])
    return [path.parent]


@bad(3, "the images are MR")
def an_mr_in_dicom(folder):
    return [series(folder, "MR")]


@bad(3, "too long")
def an_input_with_a_very_long_name(folder):
    return [folder / ("x" * 256 + ".nii.gz")]


@bad(3, "too long")
def an_input_with_a_very_long_path(folder):
    return ["/".join([str(folder), *["folder"] * 1000, "ct.nii.gz"])]


@bad(5, "does not exist")
def an_output_with_a_very_long_path(folder):
    return [folder / "ct.nii.gz", "-o", "/".join([str(folder), *["folder"] * 1000, "out.nii.gz"])]


@bad(5, "255 bytes, this one has 263")
def an_output_with_a_very_long_name(folder):
    return [folder / "ct.nii.gz", "-o", folder / ("ü" * 128 + ".nii.gz")]


@bad(5, "does not exist")
def an_output_folder_that_does_not_exist(folder):
    return [folder / "ct.nii.gz", "-o", folder / "missing" / "out.nii.gz"]


@bad(5, "is a folder")
def an_output_that_is_a_folder(folder):
    (folder / "out.nii.gz").mkdir()
    return [folder / "ct.nii.gz"]


@bad(5, "no ordinary file")
def an_output_that_is_a_device(folder):
    return [folder / "ct.nii.gz", "--report", os.devnull]


@bad(5, "must end in one of .seg.nrrd")
def an_output_of_an_unknown_format(folder):
    return [folder / "ct.nii.gz", "-o", folder / "out.png"]


@bad(5, "must end in one of .nii.gz")
def an_uncertainty_of_an_unknown_format(folder):
    return [folder / "ct.nii.gz", "--uncertainty", folder / "out.png"]


@bad(5, "is the input as well")
def an_output_that_is_the_input(folder):
    return [folder / "ct.nii.gz", "-o", folder / "ct.nii.gz"]


@bad(5, "is the input as well")
def an_output_that_is_the_input_by_another_name(folder):
    (folder / "link.nii.gz").symlink_to("ct.nii.gz")
    return [folder / "link.nii.gz", "-o", folder / "ct.nii.gz"]


@bad(5, "is the input as well")
def an_output_that_is_a_slice_of_the_input(folder):
    return [series(folder), "--report", folder / "series" / "series3.dcm"]


@bad(5, "is another output as well")
def two_outputs_of_one_name(folder):
    return [folder / "ct.nii.gz", "--statistics", folder / ".." / folder.name / "out.nii.gz"]


@bad(5, "DICOM SEG refers to the slices")
def a_dicom_segmentation_of_an_input_that_is_none(folder):
    pytest.importorskip("highdicom")
    return [folder / "ct.nii.gz", "-o", folder / "out.dcm"]


@bad(4, "No model is called 'none'", "abdomen8-3mm")
def an_unknown_model(folder):
    return [folder / "ct.nii.gz", "--model", "none"]


@bad(4, "card.json: no model card can be read there")
def a_model_folder_without_a_card(folder):
    return [folder / "ct.nii.gz", "--model", folder]


@bad(4, "No model is called")
def a_model_with_a_very_long_name(folder):
    return [folder / "ct.nii.gz", "--model", "x" * 5000]


@bad(6, "no device 'cuda:9'", "cpu")
def a_device_that_is_not_there(folder):
    return [folder / "ct.nii.gz", "--device", "cuda:9"]


@bad(3, "does not know pancreas", "liver")
def an_organ_that_the_model_does_not_know(folder):
    return [folder / "ct.nii.gz", "--organs", "pancreas"]


def check_sentence(err: str, words=()) -> None:
    """`err` is one sentence with these words, for people."""
    assert err.startswith("metaunetr: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert "Unexpected" not in err
    for word in words:
        assert word in err


@pytest.mark.parametrize(("maker", "expected"), bad)
def test_bad_input_ends_in_one_sentence(tmp_path, ct, segment, maker, expected):
    code, *words = expected
    arguments = maker(tmp_path)
    before = contents(tmp_path)
    ran = segment(*arguments)
    check_sentence(ran.err, words)
    assert ran.code == code
    assert ran.out == ""
    assert contents(tmp_path) == before


@pytest.mark.parametrize(("maker", "code"), [
    (a_missing_file, 3), (a_truncated_gzip, 3), (a_label_map, 3), (an_unknown_model, 4),
    (an_output_that_is_the_input, 5),
])
def test_the_process_says_the_same(tmp_path, ct, tiny, maker, code):
    path, *options = maker(tmp_path)
    defaults = [] if "-o" in options else ["-o", tmp_path / "out.nii.gz"]
    before = contents(tmp_path)
    process = start("segment", path, "--model", tiny, *defaults, *options)
    out, err = process.communicate(timeout=120)
    check_sentence(err)
    assert process.returncode == code
    assert out == ""
    assert contents(tmp_path) == before


@pytest.mark.parametrize(("arguments", "words"), [
    ((), "arguments are required: COMMAND"),
    (("segment",), "arguments are required: INPUT, -o"),
    (("segment", "a", "-o", "b", "--overlap", "1.5"), "a number from 0 to 0.9: '1.5'"),
    (("segment", "a", "-o", "b", "--organs", "liver", "unicorn"), "no organ is called 'unicorn'"),
    (("segment", "--organs", "liver", "kidneys", "ct.nii.gz", "-o", "b"),
     "ct.nii.gz was read as the name of an organ, because --organs takes all words up to the next "
     "option; write files before it: … ct.nii.gz --organs liver kidneys …"),
    (("evaluate", "--organs", "liver,spleen", "my a.nrrd", "b.nrrd"),
     "… 'my a.nrrd' b.nrrd --organs liver,spleen …"),
    (("segment", "-o", "b", "--organs", str(Path(__file__).parent)), "--organs liver …"),
    (("segment", "a", "-o", "b", "--threads", "0"), "a whole number from 1"),
    (("estimate", "a", "--json", "--json-progress"), "not allowed with argument --json"),
    (("segment", "a", "-o", "b", "--fast"), "unrecognized arguments: --fast"),
    (("phantom", "-o", "a", "--seed", "-1"), "a whole number from 0"),
    (("phantom", "-o", "a", "--size", "0", "9", "9"), "a whole number from 8"),
    (("phantom", "-o", "a", "--spacing", "nan", "1", "1"), "a number from 0.5"),
    (("transmogrify",), "invalid choice: 'transmogrify'"),
])
def test_a_wrong_command_line_is_explained(run, arguments, words):
    ran = run(*arguments)
    assert ran.code == 2
    assert words in ran.err
    assert "Traceback" not in ran.err


@pytest.fixture
def open_folder():
    """A folder that everybody reaches, with a locked folder, a locked file and a read-only one.

    The test runs without root's right to read everything.
    """
    if not hasattr(os, "geteuid"):
        pytest.skip("this system has no owners of files")
    folder = Path(tempfile.mkdtemp())
    write_bundle(folder / "tiny")
    write_image(folder / "ct.nii.gz", small_ct())
    shutil.copy(folder / "ct.nii.gz", folder / "locked.nii.gz")
    for name, mode in (("locked", 0), ("read-only", 0o555)):
        (folder / name).mkdir(mode=mode)
    (folder / "locked.nii.gz").chmod(0)
    folder.chmod(0o777)
    owner = os.geteuid()
    if owner == 0:
        os.seteuid(65534)
    yield folder
    os.seteuid(owner)
    shutil.rmtree(folder)


@pytest.mark.parametrize(("path", "output", "code", "words"), [
    ("locked", "out.nii.gz", 3, "locked: cannot be read: Permission denied"),
    ("locked.nii.gz", "out.nii.gz", 3, "locked.nii.gz: cannot be read: Permission denied"),
    ("locked/ct.nii.gz", "out.nii.gz", 3, "ct.nii.gz: cannot be read: Permission denied"),
    ("ct.nii.gz", "read-only/out.nii.gz", 5, "nothing can be written in"),
    ("ct.nii.gz", "locked/out.nii.gz", 5, "nothing can be written in"),
])
def test_what_may_not_be_read_or_written(open_folder, run, path, output, code, words):
    ran = run("segment", open_folder / path, "-o", open_folder / output,
              "--model", open_folder / "tiny")
    assert ran.code == code
    check_sentence(ran.err, [words])
    assert len(list(open_folder.iterdir())) == 5


@pytest.fixture
def small_disk(tmp_path):
    """A file system with room for 40 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", disk], capture_output=True
    ).returncode == 0
    if not mounted:
        pytest.skip("a small file system cannot be mounted here")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_changes_none_of_the_files(small_disk, ct, segment):
    """The labels fit on the disk, the report does not."""
    (small_disk / "out.nii.gz").write_text("the result of yesterday")
    before = contents(small_disk)
    ran = segment(ct, "-o", small_disk / "out.nii.gz", "--report", small_disk / "report.html")
    check_sentence(ran.err, ["report.html: cannot be written: the disk is full"])
    assert ran.code == 5
    assert contents(small_disk) == before


@pytest.mark.parametrize(("error", "code", "words"), [
    (OSError(errno.EIO, "Input/output error", "ct.nii.gz"), 3, "ct.nii.gz: cannot be read: Input"),
    (MemoryError(), 6, "Not enough memory"),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), 6, "Not enough memory"),
    (KeyboardInterrupt(), 130, "Interrupted; unfinished files were removed"),
    (ModuleNotFoundError("No module named 'x'", name="x"), 6, "pip install x"),
])
def test_faults_that_come_from_outside(monkeypatch, tmp_path, ct, segment, error, code, words):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr("metaunetr.engine.segmenter.to_model_input", fail)
    before = contents(tmp_path)
    ran = segment(ct)
    assert ran.code == code
    check_sentence(ran.err, [words])
    assert contents(tmp_path) == before


def test_a_bug_is_called_one_and_debugged_with_its_traceback(monkeypatch, ct, segment):
    def fail(*args, **kwargs):
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr("metaunetr.engine.segmenter.to_model_input", fail)
    ran = segment(ct)
    assert ran.code == 1
    assert ran.err == ("metaunetr: Unexpected ZeroDivisionError: division by zero. This is a bug; "
                       "please report it with the output under METAUNETR_DEBUG=1.\n")
    with pytest.raises(ZeroDivisionError):
        segment(ct, "--verbose")
    monkeypatch.setenv("METAUNETR_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        segment(ct)
