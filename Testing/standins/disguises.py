"""What CTs look like in the field: right ones, ones with fill, and ones that are no HU any more.

`RIGHT`, `FILLED` and `WRONG` map a name to what is done to HU (D, H, W), axial slices; `bodies`
makes CTs of more than abdomens to do it to.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from metaunetr import phantom
from metaunetr.errors import InputError
from metaunetr.fill import as_air
from metaunetr.guard import inspect_ct
from metaunetr.image import Grid, Image


def bodies(abdomens: int = 6) -> dict[str, Image]:
    """Phantoms: abdomens in several phases and habitus, a head, legs."""
    found = {f"abdomen {seed}": phantom.make(seed, spacing=(2.5, 2.5, 20.0)).image
             for seed in range(abdomens)}
    return found | {"head": _image(_head()), "legs": _image(_legs())}


def fits(name: str, disguise: str) -> bool:
    """Whether a disguise leaves enough of a body to tell HU by: not brain alone, or bone alone."""
    return name not in ("head", "legs") or "middle" not in disguise


def judge(kind: str, image: Image, disguise: str) -> tuple[str, str]:
    """What the guard says to a disguised CT: silent, warned, refused, or mistake; and why."""
    hu = KINDS[kind][disguise](image.array)
    factor = 4 if disguise == "every fourth voxel" else 1
    spacing = tuple(s * factor for s in image.grid.spacing[:2]) + image.grid.spacing[2:]
    if disguise == "sagittal":
        spacing = (spacing[1], spacing[2], spacing[0])
    one = Image(hu, Grid(hu.shape, spacing, (0, 0, 0)))
    try:
        warnings = [text for text in inspect_ct(one) if "HU" in text]
    except InputError as error:
        return "mistake" if kind == "RIGHT" else "refused", str(error)
    text = " ".join(warnings)
    if kind == "RIGHT":
        wrong = any(not text.startswith("HU are clipped") for text in warnings)
    elif kind == "FILLED":
        changed = hu != image.array
        taken = (as_air(one).array <= -1000)[changed]
        wrong = changed.any() and (not warnings or taken.mean() < 0.9)
    else:
        wrong = not warnings
    return "mistake" if wrong else "warned" if warnings else "silent", text


def _image(hu: np.ndarray) -> Image:
    noise = np.random.default_rng(1).normal(0, 12, hu.shape)
    return Image(np.clip(hu + noise, -1024, 3071).astype(np.int16),
                 Grid(hu.shape, (2.0, 2.0, 10.0), (0, 0, 0)))


def _head() -> np.ndarray:
    """Scalp of fat and muscle, a skull with diploe, brain, ventricles, sinus."""
    z, y, x = np.indices((12, 128, 128))
    radius = np.hypot((y - 64) / 46, (x - 64) / 38) + 0.003 * (z - 6) ** 2
    hu = np.select([radius < 0.83, radius < 0.85, radius < 0.88, radius < 0.9, radius < 0.94,
                    radius < 1], [35, 1300, 500, 1300, 50, -100], -1000)
    hu[(radius < 0.83) & (np.hypot(y - 60, x - 64) < 9)] = 8
    hu[(np.hypot(y - 28, x - 64) < 7) & (z < 4)] = -900
    return hu


def _legs() -> np.ndarray:
    """Two legs of fat, muscle and bone with fatty marrow."""
    _, y, x = np.indices((12, 96, 160))
    hu = np.full(y.shape, -1000)
    for middle in (45, 115):
        radius = np.hypot(y - 48, x - middle)
        hu = np.select([radius < 5, radius < 9, radius < 24, radius < 31],
                       [-60, 1500, 60, -100], hu)
    return hu


def _chance() -> np.random.Generator:
    return np.random.default_rng(7)


def _whole(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), -32768, 32767).astype(np.int16)


def _noisy(hu, deviation):
    return _whole(hu + _chance().normal(0, deviation, hu.shape))


def circle(hu, value):
    """The corners outside of the ellipse that fits a slice."""
    rows, columns = hu.shape[1:]
    y, x = np.indices((rows, columns))
    outside = np.hypot((2 * y - rows + 1) / rows, (2 * x - columns + 1) / columns) > 1
    return np.where(outside, _as(hu, value), hu)


def squares(hu, value):
    """A small square in every corner."""
    n = max(3, hu.shape[1] // 12)
    y, x = (np.minimum(np.arange(size), size - 1 - np.arange(size)) < n for size in hu.shape[1:])
    return np.where(y[:, None] & x, _as(hu, value), hu)


def rim(hu, value, width=2):
    """A frame around every slice."""
    inner = np.zeros(hu.shape[1:], bool)
    inner[width:-width, width:-width] = True
    return np.where(inner, hu, _as(hu, value))


def masked(hu, value):
    """The air around the body."""
    return np.where(_around(hu), _as(hu, value), hu)


def darkness(hu, value):
    """All gas, in the body and around it."""
    return np.where(hu < _air(hu), _as(hu, value), hu)


def ends(hu, value):
    """The last slices."""
    return np.concatenate([hu[:-2], np.full_like(hu[-2:], value)])


def specks(hu, value, share=0.005):
    """Single voxels."""
    return np.where(_chance().random(hu.shape) < share, _as(hu, value), hu)


def _as(hu, value):
    return hu.dtype.type(value)


def _air(hu):
    return max(-300, int(hu.min()) + 1)


def _around(hu):
    parts = np.zeros(hu.shape, bool)
    for k, plane in enumerate(hu):
        dark = np.pad(plane < _air(hu), 1, constant_values=True)
        numbers = sitk.GetArrayFromImage(
            sitk.ConnectedComponent(sitk.GetImageFromArray(dark.astype(np.uint8))))
        parts[k] = (numbers == numbers[0, 0])[1:-1, 1:-1]
    return parts


def _balls(hu, value, size, count):
    """Rods across all slices, side by side in the middle."""
    rows, columns = hu.shape[1:]
    y, x = np.indices((rows, columns))
    rods = np.zeros((rows, columns), bool)
    for place in np.linspace(0.38, 0.62, count):
        rods |= np.hypot(y - rows * 0.5, x - columns * place) < size * columns
    return np.where(rods, _whole(value + _chance().normal(0, 8, hu.shape)) if value < 3000
                    else _as(hu, value), hu)


def _cropped(hu, share):
    height, width = (max(8, int(n * share / 2)) for n in hu.shape[1:])
    y, x = (n // 2 for n in hu.shape[1:])
    return hu[:, y - height:y + height, x - width:x + width]


def _to_body(hu):
    """The rows and columns that the body fills well: hardly any air."""
    inside = ~_around(hu)
    rows, columns = inside.mean(axis=(0, 2)) > 0.25, inside.mean(axis=(0, 1)) > 0.25
    return hu[:, rows][:, :, columns] if rows.sum() > 8 and columns.sum() > 8 else hu


def _wide(hu):
    """A field of view twice as wide, of noisy air."""
    _, rows, columns = hu.shape
    place = (slice(None), slice(rows // 2, rows // 2 + rows),
             slice(columns // 2, columns // 2 + columns))
    wide = _whole(_chance().normal(-1000, 12, (len(hu), 2 * rows, 2 * columns)))
    wide = np.maximum(wide, hu.min() if hu.min() > -300 else -1024)
    wide[place] = hu
    return wide


def _fat(hu):
    """A belt of fat around the body."""
    around, width = _around(hu), max(2, hu.shape[2] // 16)
    body = sitk.GetImageFromArray((~around).astype(np.uint8))
    belt = sitk.GetArrayFromImage(sitk.BinaryDilate(body, [width, width, 0])).astype(bool) & around
    return np.where(belt, np.maximum(_whole(_chance().normal(-105, 12, hu.shape)), hu.min()), hu)


def _shifted(hu):
    return np.clip(hu.astype(np.int32) + 1024, 0, 32767).astype(np.int16)


def _scaled(hu, low, high):
    return (np.clip(hu, low, high) - low).astype(np.float32) / (high - low)


def _turned(hu):
    """Resampled after a rotation, -1024 outside."""
    image = sitk.GetImageFromArray(hu)
    centre = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
    turn = sitk.Euler3DTransform(centre, 0.02, 0.01, 0.3)
    return sitk.GetArrayFromImage(sitk.Resample(image, turn, sitk.sitkLinear, -1024))


def _mr(hu):
    return _whole(np.select([hu < -500, hu < -30, hu < 100, hu < 300],
                            [12, 900, 420 + 1.0 * hu, 600], 80)
                  + abs(_chance().normal(0, 25, hu.shape)))


RIGHT = {
    "as it is": lambda hu: hu,
    "float": lambda hu: (hu + _chance().normal(0, 0.3, hu.shape)).astype(np.float32),
    "noise of 30 HU": lambda hu: _noisy(hu, 30),
    "noise of 80 HU, as in PET/CT": lambda hu: np.maximum(_noisy(hu, 80), -1024),
    "body masked with -1024": lambda hu: masked(hu, -1024),
    "body masked with -2000": lambda hu: masked(hu, -2000),
    "padding of -1024": lambda hu: circle(hu, -1024),
    "padding of -2000": lambda hu: circle(hu, -2000),
    "padding of -3024": lambda hu: circle(hu, -3024),
    "padding of -32768": lambda hu: circle(hu, -32768),
    "corners of -32768": lambda hu: squares(hu, -32768),
    "a rim of -1024": lambda hu: rim(hu, -1024, 8),
    "metal at 3071": lambda hu: _balls(hu, 3071, 0.02, 2),
    "metal at 30000": lambda hu: _balls(hu, 30000, 0.02, 2),
    "contrast in bowel, 600 HU": lambda hu: _balls(hu, 600, 0.03, 3),
    "contrast in bowel, 1200 HU": lambda hu: _balls(hu, 1200, 0.02, 3),
    "a ceiling of 3071": lambda hu: np.clip(_balls(hu, 9000, 0.015, 1), -1024, 3071),
    "a ceiling of 4095": lambda hu: np.clip(_balls(hu, 9000, 0.015, 1), -1024, 4095),
    "clipped to -1000..1000": lambda hu: np.clip(hu, -1000, 1000),
    "clipped to -991..362": lambda hu: np.clip(hu, -991, 362),
    "clipped to -160..240": lambda hu: np.clip(hu, -160, 240),
    "clipped to -175..250": lambda hu: np.clip(hu, -175, 250),
    "clipped to -125..275": lambda hu: np.clip(hu, -125, 275),
    "clipped to -200..300": lambda hu: np.clip(hu, -200, 300),
    "the middle half": lambda hu: _cropped(hu, 0.5),
    "the middle third": lambda hu: _cropped(hu, 0.35),
    "cropped to the body": _to_body,
    "five slices": lambda hu: hu[:5],
    "a wide field of view": _wide,
    "a wide field of view of -1000": lambda hu: np.pad(
        hu, ((0, 0), *[(n // 2, n // 2) for n in hu.shape[1:]]), constant_values=-1000),
    "a belt of fat": _fat,
    "every fourth voxel": lambda hu: hu[:, ::4, ::4],
    "oblique": _turned,
    "sagittal": lambda hu: np.ascontiguousarray(hu.transpose(2, 0, 1)),
}
PLACES = {"outside the circle": circle, "in the corners": squares, "as a rim": rim,
          "around the body": masked}
FILLED = {
    f"{value} {where}": lambda hu, value=value, place=place: place(
        hu if value < 32768 else hu.astype(np.float32), value)
    for value in (0, 3071, 4095, 30000, 64512) for where, place in PLACES.items()
} | {
    "40 outside the circle": lambda hu: circle(hu, 40),
    "200 outside the circle": lambda hu: circle(hu, 200),
    "-100 around the body": lambda hu: masked(hu, -100),
    "0 for all gas": lambda hu: darkness(hu, 0),
    "0 in the last slices": lambda hu: ends(hu, 0),
    "30000 in the last slices": lambda hu: ends(hu, 30000),
}
WRONG = {
    "+1024": _shifted,
    "+1024, signed": lambda hu: hu + 1024,
    "+1000": lambda hu: hu + 1000,
    "+1024, noise of 50 HU": lambda hu: _noisy(hu + 1024, 50),
    "+1024, corners of -1000": lambda hu: squares(_shifted(hu), -1000),
    "+1024, padding of -1024": lambda hu: circle(_shifted(hu), -1024),
    "+1024, padding of -2000": lambda hu: circle(_shifted(hu), -2000),
    "+1024, a rim of -1000": lambda hu: rim(_shifted(hu), -1000),
    "+1024, a rim of -1024": lambda hu: rim(_shifted(hu), -1024, 8),
    "+1024, half a percent of -1000": lambda hu: specks(_shifted(hu), -1000),
    "+1024, last slices of -1024": lambda hu: ends(_shifted(hu), -1024),
    "+1024, body masked with 0": lambda hu: masked(_shifted(hu), 0),
    "+1024, the middle third": lambda hu: _cropped(hu, 0.35) + 1024,
    "+1024, cropped to the body": lambda hu: _to_body(hu) + 1024,
    "+1024, a wide field of view": lambda hu: _wide(hu) + 1024,
    "+1024, wide, half a percent of -1000": lambda hu: specks(_wide(hu) + 1024, -1000),
    "+1024 in half of the slices": lambda hu: np.concatenate(
        [hu[:len(hu) // 2], _shifted(hu[len(hu) // 2:])]),
    "-1024": lambda hu: hu - 1024,
    "+200": lambda hu: hu + 200,
    "-200": lambda hu: hu - 200,
    "+500": lambda hu: hu + 500,
    "-500": lambda hu: hu - 500,
    "negated": lambda hu: -hu,
    "negated, the middle third": lambda hu: -_cropped(hu, 0.35),
    "inverted": lambda hu: _whole(int(hu.max()) + int(hu.min()) - hu.astype(np.int32)),
    "inverted, 12 bits": lambda hu: 4095 - _shifted(hu),
    "inverted, 12 bits, HU": lambda hu: 3071 - _shifted(hu),
    "× 10": lambda hu: _whole(hu * 10.0),
    "× 10, the middle third": lambda hu: _whole(_cropped(hu, 0.35) * 10.0),
    "× 0.1": lambda hu: _whole(hu * 0.1),
    "× 0.1, float": lambda hu: (hu * 0.1).astype(np.float32),
    "× 0.1, the middle third": lambda hu: (_cropped(hu, 0.35) * 0.1).astype(np.float32),
    "× 0.5": lambda hu: _whole(hu * 0.5),
    "× 1.5": lambda hu: _whole(hu * 1.5),
    "× 2": lambda hu: _whole(hu * 2.0),
    "× 2, the middle third": lambda hu: _whole(_cropped(hu, 0.35) * 2.0),
    "0 to 255, soft tissue": lambda hu: _whole(_scaled(hu, -160, 240) * 255),
    "0 to 255, all": lambda hu: _whole(_scaled(hu, -1000, 1000) * 255),
    "0 to 255, corners of -1024": lambda hu: circle(_whole(_scaled(hu, -160, 240) * 255), -1024),
    "-128 to 127, soft tissue": lambda hu: _whole(_scaled(hu, -160, 240) * 255 - 128),
    "0 to 1": lambda hu: _scaled(hu, -1000, 1000),
    "-1 to 1": lambda hu: _scaled(hu, -1000, 1000) * 2 - 1,
    "0 to 1000": lambda hu: _whole(_scaled(hu, -1000, 2000) * 1000),
    "0 to 65535": lambda hu: _scaled(hu, -1000, 2000) * 65535,
    "mean 0, deviation 1": lambda hu: ((hu - hu.mean()) / hu.std()).astype(np.float32),
    "without sign, wrapped around": lambda hu: hu.astype(np.uint16).astype(np.float32),
    "negative values lost": lambda hu: np.maximum(hu, 0),
    "like an MR": _mr,
    "like an MR, ringing": lambda hu: _mr(hu) - 15,
    "like an MR, padding of -1024": lambda hu: circle(_mr(hu), -1024),
}
KINDS = {"RIGHT": RIGHT, "FILLED": FILLED, "WRONG": WRONG}
