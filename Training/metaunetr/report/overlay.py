"""Organs drawn over the CT in the three planes, as a radiologist reads them.

Pictures are uint8 RGB arrays (H, W, 3) with square pixels. The patient's right is on the left,
anterior is up in axial and left in sagittal pictures, superior is up in the other two. Oblique
images are shown in their own slices, turned to the nearest axes of the patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metaunetr.image import Grid, Image
from metaunetr.organs import BY_NUMBER, Organ
from metaunetr.orientation import Orientation
from metaunetr.report.palette import shown_colour

PLANES = ("axial", "coronal", "sagittal")  # slices across D, H and W of a canonical array
WINDOW = (-160.0, 240.0)  # HU shown from black to white: soft tissue
GREYS = 64  # fewer than 256, so that a picture with one organ fits a PNG palette
FILL = 0.28  # opacity of an organ's fill
AIR = -1024.0  # HU beyond the image
MARGIN = 1.4  # field of view of an organ's pictures over the organ's own size
SMALLEST_FIELD = 150.0  # mm; a smaller one no longer shows where in the body we are
CONTEXT = 60.0  # mm around all organs in the overview
BAR = 50.0  # mm
DIRECTIONS = ("IS", "AP", "RL")  # of the patient, to lower and higher slices in each plane
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


@dataclass(frozen=True)
class Scene:
    """A CT and its labels in canonical axes (D, H, W) = (to superior, to posterior, to left).

    Attributes:
        spacing: mm along (D, H, W).
        grid: of these arrays.
        profiles: per organ number and plane, the voxels of the organ in each slice.
    """

    hu: np.ndarray
    labels: np.ndarray
    spacing: tuple[float, float, float]
    grid: Grid
    profiles: dict[int, tuple[np.ndarray, ...]]

    @classmethod
    def of(cls, image: Image, labels: Image) -> Scene:
        """The scene of a CT and a label map of organ numbers on the same grid."""
        orientation = Orientation.of(image.grid)
        array = np.ascontiguousarray(orientation.view(labels.array))
        counts = [
            np.stack([np.bincount(part.reshape(-1), minlength=256) for part in slices])
            for slices in (array, array.swapaxes(0, 1), array.swapaxes(0, 2))
        ]
        profiles = {
            int(number): tuple(count[:, number] for count in counts)
            for number in np.flatnonzero(counts[0].sum(axis=0)) if number in BY_NUMBER
        }
        grid = orientation.canonical(image.grid)
        return cls(orientation.view(image.array), array, grid.spacing[::-1], grid, profiles)

    def box(self, numbers: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """First and last + 1 slice along (D, H, W) that hold any of these organs."""
        occupied = [
            np.flatnonzero(sum(self.profiles[number][axis] for number in numbers))
            for axis in range(3)
        ]
        return np.array([a[0] for a in occupied]), np.array([a[-1] + 1 for a in occupied])

    def best_slices(self, numbers: Sequence[int]) -> tuple[int, int, int]:
        """`richest_slices`, or the middle ones where there are no organs."""
        return self.richest_slices(numbers) if numbers else tuple(
            n // 2 for n in self.labels.shape)

    def place(self, axis: int, index: int) -> str:
        """Number of a slice across (D, H, W), from 1, and where its middle lies in mm."""
        middle = [(n - 1) / 2 for n in self.grid.shape[::-1]]
        middle[2 - axis] = index
        position = (self.grid.affine @ [*middle, 1])[2 - axis]
        direction = DIRECTIONS[axis][int(position >= 0)]
        return (f"slice {index + 1} of {self.grid.shape[axis]}, "
                f"{direction} {abs(position):.0f} mm")

    def richest_slices(self, numbers: Sequence[int]) -> tuple[int, int, int]:
        """The slice in each plane that shows most of these organs, each as much as possible."""
        shares = [
            sum(self.profiles[number][axis] / self.profiles[number][axis].max()
                for number in numbers)
            for axis in range(3)
        ]
        return tuple(int(share.argmax()) for share in shares)

    def picture(
        self, plane: str, index: int, numbers: Sequence[int], centre: np.ndarray,
        field: tuple[float, float], size: int,
    ) -> np.ndarray:
        """One slice with organs drawn over it.

        Args:
            centre: voxels along (D, H, W) of the middle of the picture, moved where the picture
                would show less of the image than it could.
            field: height and width in mm.
            size: pixels of the longer side.
        """
        axis = PLANES.index(plane)
        rows, columns = (other for other in range(3) if other != axis)
        pixel = max(field) / size
        positions = []
        for a, length in zip((rows, columns), field, strict=True):
            voxels, count = length / self.spacing[a], round(length / pixel)
            room = self.labels.shape[a] - voxels
            start = np.clip(centre[a] - voxels / 2, 0, room) if room > 0 else room / 2
            positions.append(start - 0.5 + (np.arange(count) + 0.5) * voxels / count)
        if plane != "axial":
            positions[0] = positions[0][::-1]  # superior up
        hu = sample(np.take(self.hu, index, axis).astype(np.float32), positions, AIR)
        labels = np.take(self.labels, index, axis)
        drawn = _smooth_labels(labels, positions, numbers)
        return draw_scale_bar(_compose(_grey(hu), drawn), pixel)


def organ_pictures(scene: Scene, organ: Organ, size: int = 320) -> dict[str, np.ndarray]:
    """A square picture of one organ in each plane, through its largest section; by plane."""
    first, last = scene.box([organ.number])
    field = max(SMALLEST_FIELD, MARGIN * float(((last - first) * scene.spacing).max()))
    slices = scene.richest_slices([organ.number])
    centre = (first + last) / 2
    return {
        plane: scene.picture(plane, index, [organ.number], centre, (field, field), size)
        for plane, index in zip(PLANES, slices, strict=True)
    }


def overview_pictures(
    scene: Scene, size: int = 560, planes: Sequence[str] = PLANES
) -> dict[str, np.ndarray]:
    """All organs in the slices that show most of them, to one scale; by plane."""
    shape = np.array(scene.labels.shape)
    numbers = list(scene.profiles)
    first, last, slices = np.zeros(3), shape, scene.best_slices(numbers)
    if numbers:
        margin = CONTEXT / np.array(scene.spacing)
        first, last = scene.box(numbers)
        first, last = np.maximum(first - margin, 0), np.minimum(last + margin, shape)
    extent = (last - first) * scene.spacing
    pictures = {}
    for plane in planes:
        axis = PLANES.index(plane)
        field = tuple(np.delete(extent, axis))
        pixels = round(size * max(field) / extent.max())
        pictures[plane] = scene.picture(
            plane, slices[axis], numbers, (first + last) / 2, field, pixels
        )
    return pictures


def overlay_montage(
    image: Image, labels: Image, planes: Sequence[str] = ("coronal", "axial", "sagittal"),
    size: int = 560,
) -> np.ndarray:
    """The overview of a CT and its label map as one picture, the planes side by side."""
    pictures = overview_pictures(Scene.of(image, labels), size, planes)
    height = max(len(picture) for picture in pictures.values())
    padded = []
    for plane in planes:
        above, below = divmod(height - len(pictures[plane]), 2)
        padded.append(np.pad(pictures[plane], ((above, above + below), (4, 4), (0, 0))))
    return np.concatenate(padded, axis=1)


def sample(plane: np.ndarray, positions: list[np.ndarray], outside: float) -> np.ndarray:
    """Linear interpolation of `plane` (N, M) at the rows and columns of `positions`."""
    for axis, (position, size) in enumerate(zip(positions, plane.shape, strict=True)):
        low = np.clip(np.floor(position).astype(int), 0, size - 1)
        weight = np.clip(position - low, 0, 1).astype(np.float32)
        weight = weight[:, None] if axis == 0 else weight
        after = np.take(plane, np.minimum(low + 1, size - 1), axis)
        plane = np.take(plane, low, axis) * (1 - weight) + after * weight
        beyond = (position < -0.5) | (position > size - 0.5)
        plane[(slice(None),) * axis + (beyond,)] = outside
    return plane


def _smooth_labels(
    labels: np.ndarray, positions: list[np.ndarray], numbers: Sequence[int]
) -> np.ndarray:
    """The organ that covers most of each pixel, with rounded instead of stepped borders."""
    present = [number for number in numbers if (labels == number).any()]
    covers = [sample((labels == number).astype(np.float32), positions, 0) for number in present]
    background = 1 - sum(covers, np.zeros(tuple(map(len, positions)), np.float32))
    return np.array([0, *present])[np.argmax([background, *covers], axis=0)]


def _grey(hu: np.ndarray) -> np.ndarray:
    low, high = WINDOW
    level = np.clip((hu - low) / (high - low), 0, 1)
    return np.round(level * (GREYS - 1)) * (255 / (GREYS - 1))


def _compose(grey: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Grey values (H, W) with each organ filled translucently and outlined, as RGB."""
    rgb = np.repeat(grey[..., None], 3, axis=2)
    outline = _outline(labels)
    for number in np.unique(labels[labels > 0]):
        colour = np.array(shown_colour(BY_NUMBER[int(number)]))
        inside = labels == number
        rgb[inside] = (1 - FILL) * rgb[inside] + FILL * colour
        rgb[inside & outline] = colour
    return np.round(rgb).astype(np.uint8)


def _outline(labels: np.ndarray) -> np.ndarray:
    """Whether another label lies within two pixels above, below, to the left or right."""
    outline = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        for step in (1, 2):
            ahead, behind = (
                tuple(part if a == axis else slice(None) for a in (0, 1))
                for part in (slice(step, None), slice(None, -step))
            )
            different = labels[ahead] != labels[behind]
            outline[ahead] |= different
            outline[behind] |= different
    return outline


def draw_scale_bar(rgb: np.ndarray, pixel: float) -> np.ndarray:
    """Draw a bar of 5 cm at the lower right, where the picture is wide enough."""
    length, edge = round(BAR / pixel), max(3, len(rgb) // 40)
    if length + 2 * edge < rgb.shape[1]:
        rgb[-edge - 3 : -edge, -edge - length - 1 : -edge + 1] = BLACK
        rgb[-edge - 2 : -edge - 1, -edge - length : -edge] = WHITE
    return rgb
