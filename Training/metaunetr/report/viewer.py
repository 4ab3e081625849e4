"""The viewer of the report: its controls, and the CT and labels that they show.

Both volumes are 8-bit at the resolution of a screen. Each is stored as differences along the array
modulo 256, which turns equal neighbours into runs of zeros, deflated and in base64; `viewer.js`
undoes that with what browsers have had since 2023, and otherwise leaves the still pictures.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from importlib.resources import files

import numpy as np

from metaunetr.organs import BY_NUMBER
from metaunetr.report.overlay import PLANES, WINDOW, Scene, sample
from metaunetr.report.palette import shown_colour

LEVELS, HU = (0, 40, 165, 255), (-1024, -200, 300, 1500)  # 4 HU a level in soft tissue
VOXELS = 15_000_000  # of the volume shown; these become 6 to 11 MB
BODY, MARGIN = -500, 10.0  # HU; mm around what is brighter, beyond which is air alone
LOOKED_AT = 4  # every so many voxels, to find the body
WINDOWS = {
    "soft tissue": WINDOW, "narrow, liver": (-20.0, 180.0), "vessels": (-100.0, 700.0),
    "bone": (-300.0, 1300.0), "lung": (-1000.0, 200.0),
}
SIDES = {"axial": "RLAP", "coronal": "RLSI", "sagittal": "APSI",  # left, right, above and below
         "anterior": "RLSI", "posterior": "LRSI"}


def render_viewer(scene: Scene) -> str:
    """The viewer as HTML: hidden until its script has run."""
    positions = display_positions(scene)
    ct = _resampled(scene, positions)
    nearest = [np.rint(along).astype(int) for along in positions]
    labels = scene.labels[np.ix_(*nearest)]
    numbers = list(scene.profiles)
    about = {
        "shape": labels.shape,
        "spacing": [float(s * (along[1] - along[0])) if len(along) > 1 else s
                    for s, along in zip(scene.spacing, positions, strict=True)],
        "levels": LEVELS, "hu": HU,
        "places": [[scene.place(axis, index) for index in along]
                   for axis, along in enumerate(nearest)],
        "cursor": _displayed(scene.best_slices(numbers), positions),
        "organs": [{"number": number, "name": BY_NUMBER[number].name,
                    "colour": shown_colour(BY_NUMBER[number]),
                    "at": _displayed(_inside(scene, number), positions)}
                   for number in numbers],
    }
    about = json.dumps(about).replace("<", "\\u003c")
    script = files(__package__).joinpath("viewer.js").read_text(encoding="utf-8")
    return (
        f'<section id="viewer" hidden>{_controls()}'
        f'<div class="planes">{"".join(map(_figure, PLANES))}</div>'
        '<ul id="organs" class="legend"></ul><p class="caption"><span id="here"></span>. Click '
        "into a picture to put the cross there, on an organ’s name to go to it. Keys: "
        "↑ ↓ scroll, Page ↑ ↓ ten slices, 1 to 5 window, O organs on and off.</p></section>"
        f'<script type="application/json" id="viewer-about">{about}</script>'
        f'<script type="text/plain" id="viewer-ct">{_packed(ct)}</script>'
        f'<script type="text/plain" id="viewer-labels">{_packed(labels)}</script>'
        f"<script>{script}</script>"
    )


def display_positions(scene: Scene) -> list[np.ndarray]:
    """Where voxels of the volume shown lie along (D, H, W): the body, in at most VOXELS voxels."""
    spacing = np.array(scene.spacing)
    first, last = _body(scene)
    extent = (last - first + 1) * spacing
    finest, coarsest = float(spacing.min()), float(extent.max())
    for _ in range(40):  # the smallest voxel that keeps to the limit
        voxel = (finest + coarsest) / 2
        fits = np.ceil(extent / np.maximum(voxel, spacing)).prod() <= VOXELS
        finest, coarsest = (finest, voxel) if fits else (voxel, coarsest)
    counts = np.ceil(extent / np.maximum(coarsest, spacing) - 1e-6).astype(int).clip(1)
    if np.ceil(extent / spacing - 1e-6).prod() <= VOXELS:
        counts = last - first + 1
    return [begin + (np.arange(count) + 0.5) * (end - begin + 1) / count - 0.5
            for begin, end, count in zip(first, last, counts, strict=True)]


def _body(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """First and last voxel along (D, H, W) of the slices shown; of H and W those of the body."""
    shape = np.array(scene.labels.shape)
    step = np.minimum(LOOKED_AT, shape)
    body = scene.hu[tuple(slice(None, None, s) for s in step)] > BODY
    first, last = np.zeros(3, int), shape - 1
    for axis in (1, 2):
        slices = np.flatnonzero(body.any(axis=tuple({0, 1, 2} - {axis}))) * step[axis]
        if len(slices):
            margin = step[axis] + int(MARGIN / scene.spacing[axis])
            first[axis] = max(0, slices[0] - margin)
            last[axis] = min(shape[axis] - 1, slices[-1] + margin)
    if scene.profiles:
        low, stop = scene.box(list(scene.profiles))
        first, last = np.minimum(first, low), np.maximum(last, stop - 1)
    return first, last


def _resampled(scene: Scene, positions: list[np.ndarray]) -> np.ndarray:
    """Levels of the CT, uint8 (D, H, W), linearly interpolated at `positions`."""
    levels = np.empty([len(along) for along in positions], np.uint8)
    whole = all(along[0] % 1 == 0 and (np.diff(along) == 1).all() for along in positions[1:])
    block = tuple(slice(int(along[0]), int(along[-1]) + 1) for along in positions[1:])
    for out, at in zip(levels, positions[0], strict=True):
        low = int(np.floor(at).clip(0, len(scene.hu) - 1))
        plane = scene.hu[low].astype(np.float32)
        if at > low and low + 1 < len(scene.hu):
            plane += np.float32(at - low) * (scene.hu[low + 1] - plane)
        plane = plane[block] if whole else sample(plane, positions[1:], HU[0])
        out[:] = np.rint(np.interp(plane, HU, LEVELS))
    return levels


def _inside(scene: Scene, number: int) -> tuple[int, int, int]:
    """A voxel in the middle of the largest axial section of an organ."""
    index = scene.richest_slices([number])[0]
    section = np.argwhere(scene.labels[index] == number)
    away = np.abs(section - np.median(section, axis=0)).sum(axis=1)
    return (index, *map(int, section[away.argmin()]))


def _displayed(slices: tuple[int, ...], positions: list[np.ndarray]) -> list[int]:
    """The voxels of the volume shown that lie nearest to voxels of the image."""
    return [int(np.abs(along - index).argmin())
            for along, index in zip(positions, slices, strict=True)]


def _packed(array: np.ndarray) -> str:
    flat = array.reshape(-1)
    return b64encode(zlib.compress(np.diff(flat, prepend=flat.dtype.type(0)), 6)).decode("ascii")


def _controls() -> str:
    options = "".join(f'<option value="{low:g},{high:g}">{name} ({low:g} to {high:g} HU)</option>'
                      for name, (low, high) in WINDOWS.items())
    return (
        f'<div class="controls"><label>Window <select id="window">{options}</select></label>'
        '<label>Opacity of organs <input id="opacity" type="range" min="0" max="100" value="30">'
        "</label></div>"
    )


def _figure(plane: str) -> str:
    return (
        f'<figure data-plane="{plane}"><div class="picture"><canvas tabindex="0" '
        f'aria-label="{plane} slices"></canvas>{letters(plane)}<span class="bar">5 cm</span></div>'
        f'<input type="range" min="0" value="0" aria-label="{plane} slice">'
        f'<figcaption>{plane}: <span class="place"></span></figcaption></figure>'
    )


def letters(view: str) -> str:
    """The directions of the patient, to be put around a picture."""
    return "".join(f'<span class="{side}">{letter}</span>' for side, letter in
                   zip(("west", "east", "north", "south"), SIDES[view], strict=True))
