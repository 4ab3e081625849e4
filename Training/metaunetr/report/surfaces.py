"""The surfaces of all organs from the front and from behind, drawn with NumPy alone.

VTK, which could draw them, is no dependency of the command line. Both views take 1 s of one core
for 512 × 512 × 117 voxels with 13 organs.

The projection is parallel, along anterior-posterior. The mask of each organ is smoothed and
resampled to cubes of one pixel; a ray meets its surface where the smoothed mask reaches a half, and
the gradient there is the normal for the shading.
"""

from __future__ import annotations

import numpy as np

from metaunetr.organs import BY_NUMBER
from metaunetr.report.overlay import Scene, draw_scale_bar
from metaunetr.report.palette import shown_colour

VIEWS = ("anterior", "posterior")
MARGIN = 6.0  # mm around the organs
PIXEL = 1.0  # mm at least, which limits memory
SMOOTH, LEAST = 1.0, 1.6  # standard deviation of the smoothing in voxels, but at least in mm
HALF = 0.5  # of the smoothed mask: the surface
FAINT = 0.25  # maximum along a ray from which on a pixel begins to be covered
LIGHT = np.array([0.85, 0.4, -0.35]) / np.linalg.norm([0.85, 0.4, -0.35])  # to viewer, up, right
AMBIENT, DIFFUSE, SHINE, FOG = 0.3, 0.75, 0.18, 0.3  # shares; FOG: darker far from the viewer


def surface_pictures(scene: Scene, size: int = 400) -> dict[str, np.ndarray]:
    """Pictures of all organs by view, uint8 (H, W, 3); superior is up.

    Args:
        size: pixels of the longest side at most.
    """
    first, last = scene.box(list(scene.profiles))
    spacing = np.array(scene.spacing)
    low, extent = first * spacing - MARGIN, (last - first) * spacing + 2 * MARGIN  # mm
    pixel = max(float(extent.max()) / size, PIXEL)
    counts = np.ceil(extent / pixel).astype(int)
    layers = {view: [] for view in VIEWS}
    for number in scene.profiles:
        field, corner = _smoothed(scene, number, low, pixel)
        colour = np.array(shown_colour(BY_NUMBER[number]), np.float32)
        for view in VIEWS:
            layers[view].append(_seen(field, corner, counts, colour, view))
    return {view: draw_scale_bar(_blended(layers[view], counts, view), pixel) for view in VIEWS}


def _smoothed(
    scene: Scene, number: int, low: np.ndarray, pixel: float
) -> tuple[np.ndarray, np.ndarray]:
    """The mask of an organ, smoothed, on the grid of pixels; and the first pixel that it covers.

    Args:
        low: mm of the corner of the grid of pixels.
    """
    first, last = scene.box([number])
    field = (scene.labels[tuple(map(slice, first, last))] == number).astype(np.float32)
    corner = np.zeros(3, int)
    for axis in np.argsort(scene.spacing):  # the axis that gains most voxels at last
        spacing = scene.spacing[axis]
        sigma = max(SMOOTH * spacing, LEAST, 0.7 * pixel)
        reach = 3 * sigma + pixel
        begin = int((first[axis] * spacing - reach - low[axis]) // pixel)
        end = int((last[axis] * spacing + reach - low[axis]) // pixel) + 1
        at = low[axis] + (np.arange(begin, end) + 0.5) * pixel  # mm
        beyond = int(reach / spacing) + 2  # voxels around the box: weights sum up to 1 there, too
        voxels = (np.arange(first[axis] - beyond, last[axis] + beyond) + 0.5) * spacing
        weights = np.exp(-0.5 * ((at[:, None] - voxels) / sigma) ** 2)
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
        weights = weights[:, beyond:-beyond].astype(np.float32)
        field = np.moveaxis(np.tensordot(weights, field, (1, axis)), 0, axis)
        corner[axis] = begin
    return field / field.max(), corner  # 1 inside; so thin organs and single voxels remain


def _seen(
    field: np.ndarray, corner: np.ndarray, counts: np.ndarray, colour: np.ndarray, view: str
) -> tuple[np.ndarray, ...]:
    """The rows and columns of one organ in the picture; its cover (0 to 1), depth (pixels) and
    shaded colour there."""
    behind = view == "posterior"
    if behind:
        field = field[:, ::-1]
    most = field.max(axis=1)
    hit = (field >= np.minimum(HALF, most)[:, None]).argmax(axis=1)
    rows, columns = np.ogrid[1 : field.shape[0] - 1, 1 : field.shape[2] - 1]
    hit = hit[1:-1, 1:-1].clip(1, field.shape[1] - 2)
    normal = np.stack([
        field[rows, hit - 1, columns] - field[rows, hit + 1, columns],
        field[rows - 1, hit, columns] - field[rows + 1, hit, columns],
        field[rows, hit, columns - 1] - field[rows, hit, columns + 1],
    ], axis=-1)  # outwards: away from the viewer, up, and to the left of the patient
    normal *= np.array([-1, 1, -1 if behind else 1], np.float32)  # to viewer, up, right
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
    bright = np.maximum(normal @ LIGHT.astype(np.float32), 0)
    depth = hit + (counts[1] - corner[1] - field.shape[1] if behind else corner[1])
    fog = 1 - FOG * np.clip(depth / counts[1], 0, 1)
    shaded = (colour * ((AMBIENT + DIFFUSE * bright) * fog)[..., None]
              + 255 * SHINE * (bright ** 24)[..., None])
    cover = np.clip((most[1:-1, 1:-1] - FAINT) / (HALF - FAINT), 0, 1)
    place = (slice(corner[0] + 1, corner[0] + field.shape[0] - 1),
             slice(corner[2] + 1, corner[2] + field.shape[2] - 1))
    return place, cover, depth, shaded


def _blended(layers: list[tuple], counts: np.ndarray, view: str) -> np.ndarray:
    """The layers over each other, the nearest on top, as the viewer sees them."""
    shape = (len(layers), counts[0], counts[2])
    cover, depth = np.zeros(shape, np.float32), np.full(shape, np.inf, np.float32)
    shaded = np.zeros((*shape, 3), np.float32)
    for n, (place, *values) in enumerate(layers):
        inside = tuple(slice(max(0, -p.start), None if p.stop <= s else s - p.stop)
                       for p, s in zip(place, shape[1:], strict=True))
        place = (n, *(slice(max(0, p.start), p.stop) for p in place))
        for whole, part in zip((cover, depth, shaded), values, strict=True):
            whole[place] = part[inside]
    depth[cover == 0] = np.inf
    order = depth.argsort(axis=0)
    picture, clear = np.zeros((*shape[1:], 3), np.float32), np.ones(shape[1:], np.float32)
    for n in order:
        share = clear * np.take_along_axis(cover, n[None], 0)[0]
        picture += share[..., None] * np.take_along_axis(shaded, n[None, ..., None], 0)[0]
        clear -= share
    picture = np.flip(picture, 0 if view == "anterior" else (0, 1))  # superior up
    return np.ascontiguousarray(np.round(picture.clip(0, 255)).astype(np.uint8))
