"""The engine behind one object and one call."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metaunetr.bundle import Bundle, find
from metaunetr.engine import device as devices
from metaunetr.engine.estimate import PREPARE, estimate, whole_grid
from metaunetr.engine.findings import (
    InputStatistics,
    ModelFindings,
    at_border,
    describe,
    swapped_sides,
)
from metaunetr.engine.parts import drop_fragments, keep_largest
from metaunetr.engine.record import make_record
from metaunetr.engine.resample import body_box, sample_model_input, steps, to_model_input
from metaunetr.engine.restore import restore, restore_map
from metaunetr.engine.turn import Turn
from metaunetr.engine.windows import Windows, blend, cover, fit
from metaunetr.fill import as_air
from metaunetr.guard import inspect_ct
from metaunetr.image import Grid, Image
from metaunetr.organs import Organ
from metaunetr.orientation import Orientation
from metaunetr.result import Result

Report = Callable[[dict[str, Any]], None]


class Segmenter:
    """A model, loaded once, that segments any number of CTs.

    Args:
        model: a bundle, its name, or its folder; None is the bundled default.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        overlap: of neighbouring windows, 0 to below 1; None is the model's default.
        precision: "auto" (float16 on a GPU, bfloat16 on a CPU that has instructions for it, else
            float32, unless the model's card asks for float32), "float32", "bfloat16" or
            "float16" (GPU only).
        report: told what happens, as small dictionaries with the key `event`: "stage",
            "estimate", "windows", "warning". What it raises ends the run: that is how to cancel.

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
        report: Report | None = None,
    ) -> None:
        self.bundle = model if isinstance(model, Bundle) else find(model)
        self.overlap = self.bundle.overlap if overlap is None else overlap
        self.report = report or (lambda event: None)
        self.device_warnings: list[str] = []
        self.network = self.bundle.network()
        reason = devices.ASKED
        if precision == "auto" and self.bundle.precision != "auto":
            precision, reason = self.bundle.precision, "the model's card asks for it"
        self.rungs = devices.choose(
            device, self.network, self.device_warnings.append, precision, reason)

    def segment(
        self, image: Image, organs: Iterable[Organ] | None = None, uncertainty: bool = False,
        largest_component: bool = False,
    ) -> Result:
        """Segments one CT.

        Args:
            image: HU on any grid: oblique, flipped, anisotropic, left-handed.
            organs: those wanted (see `organs.select`); None is all that the model knows.
            uncertainty: also return the entropy of the class probabilities.
            largest_component: of every organ, keep only the largest connected part.

        Raises:
            InputError: the image is not a CT that can be segmented, or the model lacks an organ.
            DeviceError: memory ran out on the last rung of the ladder.
        """
        return _Run(self, image, self.channels(organs)).result(uncertainty, largest_component)

    def estimate(self, image: Image, shape: tuple[int, int, int] | None = None) -> dict[str, Any]:
        """What `segment` would take, told before it: windows, seconds, memory_mb and device.

        Seconds until the labels are written, memory above the loaded interpreter.

        Args:
            image: as for `segment`, or a coarse copy: every n-th voxel along each axis.
            shape: voxels (D, H, W) of the image that will be segmented; None is `image` itself.

        Raises:
            InputError: `image` is no coarse copy of one with that shape.
            DeviceError: as `segment`.
        """
        for text in self.device_warnings:
            self.report({"event": "warning", "text": text})
        run = _Run(self, image, {}, shape)
        _, _, needs = run.plan()
        seconds = PREPARE * math.prod(run.grid.shape) / 1e6 + run.seconds["estimate"]
        return needs | {"seconds": round(seconds + needs["seconds"], 1)}

    def channels(self, organs: Iterable[Organ] | None) -> dict[int, Organ]:
        """The wanted organs by their channel of the network."""
        return self.bundle.channels(organs)


class _Run:
    """One image on its way through the engine: what its steps share.

    Args:
        shape: voxels (D, H, W) of the whole, where the image is a coarse copy: enough for a plan.
    """

    def __init__(
        self, engine: Segmenter, image: Image, channels: dict[int, Organ],
        shape: tuple[int, int, int] | None = None,
    ) -> None:
        self.engine, self.bundle, self.report = engine, engine.bundle, engine.report
        self.image, self.channels = image, channels
        self.scores = len(engine.bundle.classes) + 1
        self.warnings: list[str] = []
        self.seconds: dict[str, float] = {}
        self.orientation = Orientation.of(image.grid)
        self.grid = self.orientation.canonical(image.grid)
        self.coarse: Grid | None = None
        if shape is not None:
            self.coarse = self.grid
            self.grid = self.orientation.canonical(whole_grid(image.grid, shape))
        self.steps = steps(self.grid, self.bundle.preprocessing.spacing)
        self.turn: Turn | None = None

    def result(self, uncertainty: bool, largest_component: bool) -> Result:
        with self._stage("check"):
            for text in [*self.engine.device_warnings, *inspect_ct(self.image)]:
                self._warn(text)
        volume, windows, needs = self.plan()
        self.report({"event": "estimate", **needs})
        scores, origin = self._score(volume, windows)
        self.engine.rungs = self.runner.rungs  # what failed once is not tried again
        with self._stage("restore"):
            drop_fragments(scores, largest_component)
            labels = self._restore(scores, origin)
            if largest_component:  # once more: what a model voxel joins may be apart in between
                keep_largest(labels)
        with self._stage("findings"):
            findings = ModelFindings(scores, uncertainty)
            statistics = InputStatistics(labels, self.image.array)
            found = self._organs(findings, statistics, at_border(labels))
        entropy = self._entropy(findings, origin)
        return Result(
            labels=replace(
                self.image, array=labels, warnings=(),
                organs=frozenset(organ.number for organ in self.channels.values())),
            organs=found,
            record=make_record(self.image, self.bundle, self.runner.rung, self.engine.overlap,
                               windows, largest_component, self.seconds, tuple(self.warnings)),
            warnings=tuple(self.warnings),
            uncertainty=entropy,
        )

    def plan(self) -> tuple[Tensor, Windows, dict[str, Any]]:
        """The model input (D, H, W), the windows over it, and what they take from here on."""
        with self._stage("resample"):
            volume, windows = self._prepare()
        self.runner = devices.Runner(self.engine.network, self.engine.rungs, self._warn,
                                     self._progress(len(windows)))
        with self._stage("estimate"):
            needs = estimate(self.runner, windows, self.grid, self.image.array.itemsize,
                             self.bundle)
        return volume, windows, needs

    def _prepare(self) -> tuple[Tensor, Windows]:
        """The model input (D, H, W), turned upright where needed, and the windows over it."""
        preprocessing = self.bundle.preprocessing
        view = self.orientation.view(as_air(self.image).array)
        if self.coarse is None:
            volume = to_model_input(view, self.grid, preprocessing)
        else:
            volume = sample_model_input(view, self.coarse, self.grid, preprocessing)
        self.turn = Turn.needed(self.grid, tuple(volume.shape), preprocessing.spacing)
        if self.turn:
            volume = self.turn.to_patient(volume)
        box = body_box(volume, preprocessing.body_crop)
        bundle = self.bundle
        window = tuple(
            fit(part.stop - part.start, patch, smallest, largest, bundle.multiple)
            for part, patch, smallest, largest in zip(
                box, bundle.patch, bundle.smallest, bundle.largest, strict=True)
        )
        return volume, cover(box, window, self.engine.overlap)

    def _score(self, volume: Tensor, windows: Windows) -> tuple[Tensor, tuple[int, int, int]]:
        """Blended scores (C, D, H, W) of a box along the image's own axes, and its first voxel.

        Where windows stick out of the image, their scores are left out: those of the air beyond
        would be mixed into the outermost voxels. Half precision: at the model spacing even a long
        scan's scores are small that way.
        """
        scores = torch.empty((self.scores, *windows.size), dtype=torch.float16)
        with self._stage("network"), torch.no_grad():
            for first, slab in blend(volume, windows, self.scores, self.runner):
                scores[:, first : first + slab.shape[1]] = slab
        inside, origin = windows.inside(tuple(volume.shape))
        scores = scores[(slice(None), *inside)]
        if self.turn is None:
            return scores, origin
        return self.turn.to_image(scores, origin), (0, 0, 0)

    def _restore(self, scores: Tensor, origin: tuple[int, int, int]) -> np.ndarray:
        """Labels (organ numbers) in the array order of the image."""
        labels = np.zeros(self.image.array.shape, np.uint8)
        out = self.orientation.view(labels)
        numbers = np.zeros(256, np.uint8)  # organ number by channel, 0 for those not wanted
        for channel, organ in self.channels.items():
            numbers[channel] = organ.number

        def sink(z: int, row: int, column: int, classes: Tensor) -> None:
            found = classes.numpy()
            rows, columns = found.shape
            out[z, row : row + rows, column : column + columns] = numbers[found]

        restore(scores, self.grid.shape, self.steps, origin, sink)
        return labels

    def _organs(self, findings: ModelFindings, statistics: InputStatistics, border: set[int]):
        """The entries of the wanted organs in the order of their numbers."""
        names = {organ.name: channel for channel, organ in self.channels.items()}
        swapped = swapped_sides(findings.classes, names)
        for right, left in swapped:
            self._warn(f"The {right} lies left of the {left}: the image may be mirrored.")
        return describe(
            self.channels, findings, statistics, self.grid, self.bundle.preprocessing.spacing[2],
            border, {name for pair in swapped for name in pair}, self.bundle.calibration,
        )

    def _entropy(self, findings: ModelFindings, origin: tuple[int, int, int]) -> Image | None:
        """Uncertainty in percent on the input grid; 0 outside the windows."""
        if findings.entropy is None:
            return None
        out = np.zeros(self.image.array.shape, np.uint8)
        restore_map(findings.entropy, self.orientation.view(out), self.steps, origin)
        return Image(out, self.image.grid, self.image.source)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self.report({"event": "stage", "stage": name})
        started = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - started

    def _warn(self, text: str) -> None:
        self.warnings.append(text)
        self.report({"event": "warning", "text": text})

    def _progress(self, total: int) -> Callable[[int], None]:
        """Reports windows done and seconds left, from the time since the first was begun."""
        started = math.nan

        def progress(done: int) -> None:
            nonlocal started
            now = time.perf_counter()
            if math.isnan(started):
                started = now - self.runner.seconds
            left = (now - started) / done * (total - done)
            self.report({"event": "windows", "done": done, "total": total,
                         "remaining_s": round(left, 1)})

        return progress
