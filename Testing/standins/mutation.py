"""Valid files of every kind that is read, and seeded damage to them."""

from __future__ import annotations

import gzip
import json
import random
import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from metaunetr.image import Grid, Image
from metaunetr.io import write_image, write_labels
from metaunetr.organs import BY_NUMBER
from metaunetr.result import OrganResult, Result
from tiny_bundle import write_bundle

SHAPE = (6, 9, 11)
NUMBERS = (0, 1, -1, 2, 3, 7, 127, 128, 255, 256, 32767, -32768, 65535, 2**31 - 1, -2**31,
           2**32 - 1, 2**40, 10**12, 2**63 - 1, -2**63, 2**64 - 1, 10**30)
TEXTS = ("nan", "inf", "-inf", "1e308", "1e400", "-0", "1e-320", "0x10", "", "none", "%s",
         "../../x", "/etc/passwd", "/dev/zero", "9" * 400, "[" * 300, "null", "true", "{}", '"',
         "\\u0000", "ü")


def seeds(folder: Path) -> dict[str, Path]:
    """One valid input of each kind in a folder of its own: what is damaged, by its kind."""
    return {make.__name__: make(_made(folder / make.__name__)) for make in SEEDS}


def damaged(data: bytes, chance: random.Random) -> bytes:
    """`data` after one to three accidents; of gzip, half the time what is packed is damaged."""
    if data.startswith(b"\x1f\x8b") and chance.random() < 0.5:
        return gzip.compress(damaged(gzip.decompress(data), chance), 1)
    for _ in range(chance.randint(1, 3)):
        data = bytes(chance.choice(ACCIDENTS)(bytearray(data), chance))
    return data


def ct() -> Image:
    """A body in air with fat, on an oblique grid that the guard lets pass."""
    noise = np.random.default_rng(3).normal(0, 20, SHAPE)
    hu = np.where(np.indices(SHAPE)[1] < 3, -1000, np.where(np.indices(SHAPE)[2] < 4, -100, 50))
    direction = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    grid = Grid(SHAPE, (3.0, 2.5, 5.0), (-9.5, 4.0, 100.0), direction)
    return Image((hu + noise).astype(np.int16), grid)


def nii(folder: Path) -> Path:
    return _written(folder / "ct.nii")


def nii_gz(folder: Path) -> Path:
    return _written(folder / "ct.nii.gz")


def nrrd(folder: Path) -> Path:
    return _written(folder / "ct.nrrd")


def nrrd_raw(folder: Path) -> Path:
    return _plain(folder / "ct.nrrd")


def nhdr(folder: Path) -> Path:
    return _plain(folder / "ct.nhdr")


def mha(folder: Path) -> Path:
    return _written(folder / "ct.mha")


def mha_raw(folder: Path) -> Path:
    return _plain(folder / "ct.mha")


def mhd(folder: Path) -> Path:
    return _plain(folder / "ct.mhd")


def mhd_packed(folder: Path) -> Path:
    return _plain(folder / "ct.mhd", compressed=True)


def seg_nrrd(folder: Path) -> Path:
    image = ct()
    labels = np.where(image.array > 0, 6, 0).astype(np.uint8)
    labels[:, :3] = 2
    organs = tuple(OrganResult(BY_NUMBER[n], 9, 1.5, 40.0, 9.0, 0.9, ("small",)) for n in (2, 6))
    result = Result(Image(labels, image.grid), organs, {"model": "tiny", "model_sha256": "ab"})
    write_labels(folder / "ct.seg.nrrd", result)
    return folder / "ct.seg.nrrd"


def dicom(folder: Path) -> Path:
    """A series of which one slice is damaged."""
    image = sitk.GetImageFromArray(ct().array)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for k in range(SHAPE[0]):
        flat = image[:, :, k]
        for key, value in {
            "0008|0060": "CT", "0020|0032": f"0\\0\\{5 * k}", "0018|0050": "5",
            "0020|0037": "1\\0\\0\\0\\1\\0", "0020|000e": "1.2.3.4", "0020|000d": "1.2.3",
            "0008|0018": f"1.2.3.4.{k + 1}", "0028|1052": "-1024", "0028|1053": "1",
        }.items():
            flat.SetMetaData(key, value)
        writer.SetFileName(str(folder / f"slice{k}.dcm"))
        writer.Execute(flat)
    return folder / "slice2.dcm"


def card(folder: Path) -> Path:
    return write_bundle(folder) / "card.json"


def weights(folder: Path) -> Path:
    return write_bundle(folder) / "weights.safetensors"


def record(folder: Path) -> Path:
    """The record of a finished case of a batch."""
    found = OrganResult(BY_NUMBER[6], 9, 1.5, 40.0, float("nan"), 0.9, ("small",))
    (folder / "case.json").write_text(json.dumps({
        "format": 1, "input": "ct.nii.gz", "made_from": {"input": "ab", "organs": None},
        "outputs": {"case.nii.gz": 12}, "organs": [found.to_json()], "record": {"model": "tiny"},
    }))
    return folder / "case.json"


SEEDS: tuple[Callable[[Path], Path], ...] = (
    nii, nii_gz, nrrd, nrrd_raw, nhdr, mha, mha_raw, mhd, mhd_packed, seg_nrrd, dicom, card,
    weights, record,
)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _written(path: Path) -> Path:
    write_image(path, ct())
    return path


def _plain(path: Path, compressed: bool = False) -> Path:
    """As SimpleITK writes it."""
    image = ct()
    out = sitk.GetImageFromArray(image.array)
    out.SetSpacing(image.grid.spacing)
    out.SetOrigin(image.grid.origin)
    out.SetDirection(image.grid.direction.ravel())
    sitk.WriteImage(out, str(path), useCompression=compressed)
    return path


def _flip(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice((1, 1, 2, 8)) if data else 0):
        data[_place(data, chance)] ^= 1 << chance.randrange(8)
    return data


def _truncate(data: bytearray, chance: random.Random) -> bytearray:
    return data[:_place(data, chance)]


def _insert(data: bytearray, chance: random.Random) -> bytearray:
    at = _place(data, chance)
    return data[:at] + chance.randbytes(chance.choice((1, 2, 4, 100))) + data[at:]


def _remove(data: bytearray, chance: random.Random) -> bytearray:
    at = _place(data, chance)
    return data[:at] + data[at + chance.choice((1, 2, 4, 50)):]


def _repeat(data: bytearray, chance: random.Random) -> bytearray:
    at = _place(data, chance)
    return data[:at] + data[at:at + 200] * chance.choice((2, 3, 50)) + data[at + 200:]


def _field(data: bytearray, chance: random.Random) -> bytearray:
    """A binary number, whole or not, is another one."""
    size, number = chance.choice((1, 2, 4, 8)), chance.choice(NUMBERS)
    at = _place(data, chance) & ~(min(size, 4) - 1)
    value = (number % 2 ** (8 * size)).to_bytes(size, chance.choice(("little", "big")))
    if size >= 4 and chance.random() < 0.3:
        value = struct.pack("<f" if size == 4 else "<d",
                            chance.choice((float("nan"), float("inf"), -1.0, 0.0, 1e30, 1e-38)))
    return data[:at] + value + data[at + size:]


def _text(data: bytearray, chance: random.Random) -> bytearray:
    """A number or word of the header is another one."""
    words = list(re.finditer(rb"[-+.\w]+", data[:4000]))
    if not words:
        return data
    word = chance.choice(words)
    new = chance.choice((*map(str, NUMBERS), *TEXTS, chance.choice(words)[0].decode("latin-1")))
    return data[:word.start()] + new.encode() + data[word.end():]


def _line(data: bytearray, chance: random.Random) -> bytearray:
    """A line of the header is left out, or said twice."""
    lines = data.split(b"\n")
    at = chance.randrange(min(len(lines), 60))
    lines[at:at + 1] = [lines[at]] * chance.choice((0, 2))
    return bytearray(b"\n".join(lines))


def _place(data: bytearray, chance: random.Random) -> int:
    """Half the time in the first 400 bytes, where headers are."""
    return chance.randrange(max(1, min(len(data), chance.choice((400, 1 << 30)))))


ACCIDENTS = (_flip, _truncate, _insert, _remove, _repeat, _field, _field, _text, _text, _line)
