"""From a CT to the labels of its organs: all steps, in their order.

`metaunetr segment ct.nii.gz -o organs.seg.nrrd` is `run` in `cli/segment.py`. It reads the file
with `io.read_image`, which returns an `Image`: HU, and the grid of its voxels in the patient. It
makes a `Segmenter`, calls `segment`, and writes the labels of the `Result`, which are an `Image` on
the same grid, with `io.write_labels`. Between the files, all is done here:

    check        the values are HU, and the image is a CT that can be segmented (`inspect_ct`)
    preprocess   canonical axes, model spacing (mm), the HU window scaled to 0..1: the model input
    windows      sliding windows over the body
    estimate     seconds and memory that the run will take
    logits       the network on each window, blended where windows overlap
    labels       small components removed, logits interpolated linearly to the grid of the image,
                 then the class with the highest one
    statistics   volume, HU, confidence and flags of each organ
    provenance   what is needed to repeat the run

Events and records keep the names that stages had in version 0.1: "resample" is preprocess and
windows, "network" is logits, "restore" is labels, "findings" is statistics.

Arrays are (D, H, W), logits (C, D, H, W); channel 0 is background. An image has its axes in the
order and direction of the file. On canonical axes, D, H and W run towards superior, posterior and
left, as nearly as the axes of the image do. `volume` is the model input, on the model grid;
`geometry.grid` is the grid of the image on canonical axes, and `geometry` also says where the model
grid lies in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metaunetr.boxes import Triple
from metaunetr.bundle import Bundle, find
from metaunetr.engine.backends import CARD, REQUESTED, choose_backends
from metaunetr.engine.components import keep_largest, remove_small_components
from metaunetr.engine.estimate import PREPROCESS, estimate, whole_grid
from metaunetr.engine.geometry import Geometry
from metaunetr.engine.organ_stats import Prediction, organ_stats
from metaunetr.engine.provenance import provenance
from metaunetr.engine.reporter import Report, Reporter
from metaunetr.engine.resample import body_box, nearest_model_input, to_model_input
from metaunetr.engine.runner import Runner
from metaunetr.engine.upsample import upsample_labels, upsample_map
from metaunetr.engine.windows import Windows, blend_windows, sliding_windows, window_size
from metaunetr.errors import BundleError
from metaunetr.fill import as_air
from metaunetr.guard import inspect_ct
from metaunetr.image import Image
from metaunetr.organs import Organ
from metaunetr.result import Result

LARGEST = torch.finfo(torch.float16).max


class Segmenter:
    """A model, loaded once, that segments any number of CTs.

    Each CT starts on the backend that was chosen here; a fallback is not kept for the next CT.

    Args:
        model: a bundle, its name, or its folder; None is the bundled default.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        overlap: of neighbouring windows, 0 to below 1; None is the model's default.
        precision: "auto" (float16 on a GPU, bfloat16 on a CPU that has instructions for it, else
            float32, unless the model's card asks for float32), "float32", "bfloat16" or
            "float16" (GPU only).

    Attributes:
        device_warnings: sentences about devices that cannot be used; every result repeats them.

    Raises:
        BundleError: the model is missing or damaged.
        DeviceError: the device does not exist or cannot run the model in this precision.
    """

    def __init__(
        self,
        model: Bundle | str | Path | None = None,
        device: str = "auto",
        overlap: float | None = None,
        precision: str = "auto",
    ) -> None:
        self.bundle = model if isinstance(model, Bundle) else find(model)
        self.overlap = self.bundle.overlap if overlap is None else overlap
        self.network = self.bundle.network()
        reason = REQUESTED
        if precision == "auto" and self.bundle.precision != "auto":
            precision, reason = self.bundle.precision, CARD
        self.device_warnings: list[str] = []
        self.backends = choose_backends(
            device, self.network, self.device_warnings.append, precision, reason)

    def segment(
        self, image: Image, organs: Iterable[Organ] | None = None, uncertainty: bool = False,
        largest_component: bool = False, report: Report | None = None,
        network_s: float | None = None,
    ) -> Result:
        """Segments one CT.

        Args:
            image: HU on any grid: oblique, flipped, anisotropic, left-handed.
            organs: those wanted (see `organs.select`); None is all that the model knows.
            uncertainty: also return the entropy of the class probabilities.
            largest_component: of every organ, keep only the largest connected component.
            report: receives events, which are dictionaries with the key `event`: "stage",
                "estimate", "windows" or "warning". What it raises ends the run: raise
                `errors.Cancelled` to cancel.
            network_s: seconds of the network, as `estimate` said; None measures its speed first.

        Raises:
            InputError: the image is not a CT that can be segmented, or the model lacks an organ.
            DeviceError: the last fallback ran out of memory or failed.
            BundleError: logits are too large.
        """
        channels = self.bundle.channels(organs)  # {channel of the network: organ}
        reporter = Reporter(report)
        with reporter.stage("check"):
            reporter.warn(*self.device_warnings, *inspect_ct(image))
        with reporter.stage("resample"):
            volume, geometry = preprocess(image, self.bundle)
            windows = body_windows(volume, self.bundle, self.overlap)
        with reporter.stage("estimate"):
            runner = Runner(self.network, self.backends, reporter.warn)  # the next if one fails
            needs = estimate(
                runner, windows, geometry.grid, image.array.itemsize, self.bundle, network_s)
        reporter.report({"event": "estimate", **needs})
        with reporter.stage("network"):
            logits, origin = blended_logits(
                volume, windows, runner, self.bundle, geometry, reporter)
        with reporter.stage("restore"):
            voxel_volume = math.prod(self.bundle.preprocessing.spacing) / 1000
            remove_small_components(logits, voxel_volume, largest_component)
            labels = image_labels(logits, origin, geometry, image, channels)
            if largest_component:  # interpolation may have split a component again
                keep_largest(labels)
        with reporter.stage("findings"):
            prediction = Prediction(logits, uncertainty)  # classes, and their probabilities
            stats, warnings = organ_stats(
                channels, prediction, labels, image.array, geometry.grid, self.bundle,
                image.shear)
            reporter.warn(*warnings)
        return Result(
            labels=replace(image, array=labels, warnings=(),
                           organs=frozenset(organ.number for organ in channels.values())),
            organs=stats,
            record=provenance(
                image, self.bundle, None if organs is None else [one.organ for one in stats],
                runner.backend, self.overlap, windows, largest_component, reporter.seconds,
                reporter.warnings),
            warnings=tuple(reporter.warnings),
            uncertainty=image_entropy(prediction, origin, geometry, image) if uncertainty else None,
            device_warnings=(*self.device_warnings, *runner.warnings),
        )

    def estimate(
        self, image: Image, shape: Triple | None = None, report: Report | None = None
    ) -> dict[str, Any]:
        """The windows, seconds, network_s, memory_mb and device that `segment` would take.

        Seconds until the labels are written, and those of the network among them; memory in
        addition to Python with PyTorch.

        Args:
            image: as for `segment`, or a coarse copy: every n-th voxel along each axis.
            shape: voxels (D, H, W) of the image that will be segmented; None is `image` itself.
            report: as for `segment`.

        Raises:
            InputError: `image` is not a coarse copy of an image of that shape.
            DeviceError: as `segment`.
        """
        reporter = Reporter(report)
        reporter.warn(*self.device_warnings)
        with reporter.stage("resample"):
            volume, geometry = (preprocess(image, self.bundle) if shape is None
                                else preprocess_coarse(image, shape, self.bundle))
            windows = body_windows(volume, self.bundle, self.overlap)
        with reporter.stage("estimate"):
            runner = Runner(self.network, self.backends, reporter.warn)
            needs = estimate(runner, windows, geometry.grid, image.array.itemsize, self.bundle)
        # `needs` begins where `segment` reports it, after these steps
        before = PREPROCESS * math.prod(geometry.grid.shape) / 1e6 + reporter.seconds["estimate"]
        return needs | {"seconds": round(before + needs["seconds"], 1)}


def preprocess(image: Image, bundle: Bundle) -> tuple[Tensor, Geometry]:
    """The model input (D, H, W), 0..1, of a CT, and the geometry that leads back to the CT.

    Its axes are parallel to those of the image or, if these are more than 30° oblique, to the
    patient's.
    """
    geometry = Geometry.of(image.grid, bundle.preprocessing.spacing)
    hu = geometry.orientation.view(as_air(image).array)  # canonical axes; padding becomes air
    volume = to_model_input(hu, geometry.grid, bundle.preprocessing)
    return geometry.rotation.to_patient(volume) if geometry.rotation else volume, geometry


def preprocess_coarse(image: Image, shape: Triple, bundle: Bundle) -> tuple[Tensor, Geometry]:
    """Approximate `preprocess` for a CT of `shape` (D, H, W), from every n-th voxel of it.

    Raises:
        InputError: `image` is not a coarse copy of an image of that shape.
    """
    geometry = Geometry.of(whole_grid(image.grid, shape), bundle.preprocessing.spacing)
    hu = geometry.orientation.view(as_air(image).array)
    volume = nearest_model_input(hu, geometry.orientation.canonical(image.grid), geometry.grid,
                                 bundle.preprocessing)
    return geometry.rotation.to_patient(volume) if geometry.rotation else volume, geometry


def body_windows(volume: Tensor, bundle: Bundle, overlap: float) -> Windows:
    """Sliding windows over the body in a model input (D, H, W)."""
    box = body_box(volume, bundle.preprocessing.body_crop)
    depth, height, width = (
        window_size(part.stop - part.start, patch, smallest, largest, bundle.multiple)
        for part, patch, smallest, largest in zip(
            box, bundle.patch, bundle.smallest, bundle.largest, strict=True)
    )
    return sliding_windows(box, (depth, height, width), overlap)


def blended_logits(
    volume: Tensor, windows: Windows, runner: Runner, bundle: Bundle, geometry: Geometry,
    reporter: Reporter,
) -> tuple[Tensor, Triple]:
    """Logits (C, D, H, W) of a box of the model grid, and the first voxel (D, H, W) of the box.

    The box is the part of the image that the windows cover; if `preprocess` has rotated the image,
    it is the whole image, and the logits are rotated back. They are float16 to save memory. Windows
    may extend beyond the image. Logits there are left out: interpolation would mix them into the
    outermost voxels.

    Raises:
        BundleError: logits are too large for float16.
    """
    classes = len(bundle.classes) + 1
    logits = torch.empty((classes, *windows.size), dtype=torch.float16)
    progress = reporter.progress(len(windows))
    with torch.no_grad():
        for first, slab in blend_windows(volume, windows, classes, runner, progress):
            largest = max(-slab.min().item(), slab.max().item())
            if not largest <= LARGEST:
                raise BundleError(f"{bundle.name}: the logits of the network must be between "
                                  f"-{LARGEST:g} and {LARGEST:g}, they reach {largest:.3g}.")
            logits[:, first : first + slab.shape[1]] = slab
            del slab  # large: free it before the network runs again
    depth, height, width = volume.shape
    inside, origin = windows.inside((depth, height, width))
    logits = logits[(slice(None), *inside)]
    if geometry.rotation is None:
        return logits, origin
    return geometry.rotation.to_image(logits, origin), (0, 0, 0)


def image_labels(
    logits: Tensor, origin: Triple, geometry: Geometry, image: Image, channels: dict[int, Organ]
) -> np.ndarray:
    """Labels (organ numbers, uint8) in the array order of the image; 0 for unwanted organs.

    Args:
        logits, origin: as `blended_logits` returns them.
    """
    numbers = np.zeros(len(logits), np.uint8)  # by channel
    for channel, organ in channels.items():
        numbers[channel] = organ.number
    labels = np.zeros(image.array.shape, np.uint8)
    canonical = geometry.orientation.view(labels)  # what is written to it is written to `labels`
    upsample_labels(logits, origin, geometry.steps, numbers, canonical)
    return labels


def image_entropy(
    prediction: Prediction, origin: Triple, geometry: Geometry, image: Image
) -> Image:
    """Entropy of the class probabilities, uint8 percent of its maximum, on the grid of the image.

    0 outside the windows.
    """
    assert prediction.entropy is not None  # it was asked for
    entropy = np.zeros(image.array.shape, np.uint8)
    upsample_map(prediction.entropy, origin, geometry.steps, geometry.orientation.view(entropy))
    return Image(entropy, image.grid, image.source)
