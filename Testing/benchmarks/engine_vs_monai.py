"""The engine against MONAI's sliding window: time, peak memory, and agreement, on one CT.

    python Testing/benchmarks/engine_vs_monai.py [CT.nii.gz] [--labels LABELS.nii.gz]

(a) the way a MONAI user would do it, in fp32; (b) the same, tuned; (c) this engine with the
windows of (a) and no body crop; (d) this engine with default settings. All with the same weights,
on the CPU, from the file to labels (D, H, W) on its grid, each alone in a process of its own.
Without a CT it takes a procedural phantom. Ends with 1 when a target is missed. Needs Linux or
macOS, and MONAI and nibabel.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path

# Nothing large is imported up here, nor in the parent before the last child has ended: on Linux a
# process begins with the peak memory of the one that started it.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Training"))

PHANTOM_SHAPE = (150, 512, 512)  # (D, H, W)
PHANTOM_SPACING = (0.8, 0.8, 3.0)  # mm along (i, j, k)
OVERLAP = 0.5

FASTER_THAN_MONAI = 5.0
FASTER_THAN_TUNED = 1.5
SHARE_OF_MEMORY = 1 / 3
MEAN_DICE = 0.99
ORGAN_DICE = 0.97
ORGAN_ML = 5.0  # smaller organs count in the mean only
LOSS = 0.01


def monai_plain() -> tuple[str, Callable]:
    """(a): transforms, windows, scores brought back, argmax."""
    return "MONAI, fp32", _monai(lambda network: network)


def monai_tuned() -> tuple[str, Callable]:
    """(b): the same with channels last, and in bf16 where that is no slower than fp32."""
    import torch

    from metaunetr.engine.precision import fast_cpu_dtype

    dtype = fast_cpu_dtype()

    def tune(network):
        network = network.to(memory_format=torch.channels_last_3d)

        def predict(x):  # (B, 1, D, H, W)
            with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
                return network(x.to(memory_format=torch.channels_last_3d)).float()

        return predict

    precision = "bf16" if dtype == torch.bfloat16 else "fp32 (bf16 is slower on this CPU)"
    return f"MONAI, channels_last_3d, {precision}", _monai(tune)


def _monai(tune: Callable) -> Callable:
    """A function from a file to labels, done with MONAI; `tune` makes the network's caller.

    Values and grid of the network's input are those of the engine, so that (c) differs from (a) by
    the engine only: HU are clipped before they are resampled, finer axes are smoothed, and the
    grid begins at the image's edge. Spacingd would begin at the first voxel's centre, and round
    halves by chance; ResampleToMatchd does the same work. Only the smoothing costs (a) some time.
    """
    import torch
    from monai.data import MetaTensor
    from monai.inferers import sliding_window_inference
    from monai.networks.layers import gaussian_1d, separable_filtering
    from monai.transforms import (
        Compose,
        EnsureChannelFirstd,
        Invertd,
        LoadImaged,
        MapTransform,
        Orientationd,
        ResampleToMatchd,
        ScaleIntensityRanged,
    )

    from metaunetr import bundle as bundles
    from metaunetr.engine.resample import antialias_sigma, model_shape, voxel_steps
    from metaunetr.image import Grid

    bundle = bundles.find()
    preprocessing = bundle.preprocessing

    def kernel(sigma: float):
        if sigma == 0:
            return torch.ones(1)
        return gaussian_1d(torch.tensor(sigma), approx="sampled", normalize=True)

    class ModelGridd(MapTransform):
        """Smooths the image for the model's spacing, and adds the grid to resample it to."""

        def __call__(self, data):
            image = data["image"]  # (1, D, H, W)
            own = Grid(image.shape[1:], tuple(image.pixdim.tolist()[::-1]), (0, 0, 0))
            finer = voxel_steps(own, preprocessing.spacing)
            kernels = [kernel(antialias_sigma(step, preprocessing)) for step in finer]
            to_image = torch.diag(torch.tensor([*finer, 1.0], dtype=torch.float64))
            to_image[:3, 3] = (to_image.diagonal()[:3] - 1) / 2
            shape = model_shape(own, preprocessing.spacing)
            grid = MetaTensor(torch.empty(1, *shape), affine=image.affine @ to_image)
            if any(len(weights) > 1 for weights in kernels):
                image = separable_filtering(image[None], kernels, mode="replicate")[0]
            return {**data, "image": image, "grid": grid}

    before = Compose([
        LoadImaged("image"),
        EnsureChannelFirstd("image"),
        Orientationd("image", axcodes="SPL"),  # arrays (D, H, W), as the network wants them
        ScaleIntensityRanged("image", *preprocessing.hu_window, 0, 1, clip=True),
        ModelGridd("image"),
        ResampleToMatchd("image", key_dst="grid", mode="bilinear", padding_mode="border"),
    ])
    after = Invertd("scores", transform=before, orig_keys="image", nearest_interp=False)

    def segment(path: Path):
        predict = tune(bundle.network())
        with torch.inference_mode():
            data = before({"image": str(path)})
            scores = sliding_window_inference(
                data["image"][None], bundle.patch, 1, predict, OVERLAP,
                mode="gaussian", sigma_scale=0.2,
            )
            classes = after({**data, "scores": scores[0]})["scores"].argmax(0)  # (i, j, k)
            numbers = torch.tensor([0, *(organ.number for organ in bundle.classes)])
            return numbers.to(torch.uint8)[classes.as_tensor()].permute(2, 1, 0).numpy()

    return segment


def engine_same_windows() -> tuple[str, Callable]:
    """(c): this engine looking where MONAI looks, at the whole image."""
    from unittest.mock import patch as replaced

    from monai.data.utils import dense_patch_slices

    from metaunetr.engine import components, segmenter
    from metaunetr.engine.windows import Windows

    segment_default = _engine()

    def windows(shape, patch) -> Windows:
        padding = [max(0, p - n) for n, p in zip(shape, patch, strict=True)]
        size = tuple(n + p for n, p in zip(shape, padding, strict=True))
        interval = tuple(int(n * (1 - OVERLAP)) for n in patch)
        starts = [tuple(int(part.start) for part in parts)
                  for parts in dense_patch_slices(size, patch, interval)]
        rows = tuple((z, tuple(start[1:] for start in row))
                     for z, row in groupby(starts, key=lambda start: start[0]))
        return Windows(tuple(-(p // 2) for p in padding), size, patch, rows)

    def segment(path: Path):
        # (a) keeps stray fragments, and this variant is about the arithmetic
        with (
            replaced.object(segmenter, "body_windows", lambda volume, bundle, overlap: windows(
                volume.shape, bundle.patch)),
            replaced.object(components, "SMALL", 0),
        ):
            return segment_default(path)

    return "this engine, MONAI's windows, no body crop", segment


def engine_default() -> tuple[str, Callable]:
    """(d): this engine as it comes."""
    return "this engine, default settings", _engine()


def _engine() -> Callable:
    from metaunetr import Segmenter, read_image

    def segment(path: Path):
        return Segmenter(device="cpu").segment(read_image(path)).labels.array

    return segment


VARIANTS = {"a": monai_plain, "b": monai_tuned, "c": engine_same_windows, "d": engine_default}


@dataclass(frozen=True)
class Measured:
    """One variant's run.

    Attributes:
        seconds: by the clock, which other programs on the machine stretch.
        cpu_seconds: of all threads together, to tell whether they did.
        memory: peak in MB above that of the interpreter with everything imported.
    """

    title: str
    seconds: float
    cpu_seconds: float
    memory: float


def measure(variant: str, ct: Path, out: Path) -> Measured:
    """Runs a variant from the file to labels (D, H, W), saved to `out`; imports do not count."""
    import numpy as np

    warnings.simplefilter("ignore")  # MONAI's, about what it could not find
    logging.disable(logging.WARNING)
    title, segment = VARIANTS[variant]()
    loaded = _peak_mb()
    started, cpu_started = time.perf_counter(), time.process_time()
    labels = segment(ct)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    memory = _peak_mb() - loaded
    np.save(out, labels)
    return Measured(title, seconds, cpu_seconds, memory)


def _peak_mb() -> float:
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # bytes, or kilobytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def alone(function: Callable, *arguments):
    """The function's result from a fresh process, which then ends."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def make_phantom(ct: Path, labels: Path) -> None:
    from metaunetr import io, phantom

    made = phantom.make(0, PHANTOM_SHAPE, PHANTOM_SPACING)
    io.write_image(ct, made.image)
    io.write_image(labels, made.labels)


def targets(measured: dict[str, Measured], table: list[dict]) -> list[tuple[bool, str]]:
    """Each target as (met, sentence); `table` holds an entry per organ (see `compare`)."""
    import numpy as np

    a, b, d = (measured[variant] for variant in "abd")
    mean = np.nanmean([row["c"] for row in table])
    found = [
        (a.seconds / d.seconds >= FASTER_THAN_MONAI,
         f"(d) is {a.seconds / d.seconds:.2f} times as fast as (a); {FASTER_THAN_MONAI:g} wanted"),
        (b.seconds / d.seconds >= FASTER_THAN_TUNED,
         f"(d) is {b.seconds / d.seconds:.2f} times as fast as (b); {FASTER_THAN_TUNED:g} wanted"),
        (d.memory / a.memory <= SHARE_OF_MEMORY,
         f"(d) takes {d.memory / a.memory:.3f} of (a)'s memory; {SHARE_OF_MEMORY:.3f} allowed"),
        (mean >= MEAN_DICE, f"mean Dice of (c) to (a) is {mean:.4f}; {MEAN_DICE} wanted"),
    ]
    large = [row for row in table if row["ml"] > ORGAN_ML]
    if large:
        worst = min(large, key=lambda row: row["c"])
        found.append((worst["c"] >= ORGAN_DICE,
                      f"lowest Dice of (c) to (a) over {ORGAN_ML:g} mL is {worst['c']:.4f} "
                      f"({worst['organ']}); {ORGAN_DICE} wanted"))
    labelled = [row for row in table if "truth_a" in row]
    if labelled:
        worst = min(labelled, key=lambda row: row["truth_d"] - row["truth_a"])
        change = worst["truth_d"] - worst["truth_a"]
        found.append((change >= -LOSS, f"to the labels, (d) scores {change:+.4f} against (a) where "
                                       f"it loses most ({worst['organ']}); {-LOSS} allowed"))
    return found


def compare(ct: Path, labels: Path | None, folder: Path) -> list[dict]:
    """An entry per organ: mL in (a), Dice of b, c, d to (a), and of (a) and (d) to the labels.

    Raises:
        SystemExit: the labels lie on another grid than the CT.
    """
    import numpy as np

    from metaunetr import bundle, read_image, read_labels
    from metaunetr.metrics import dice

    grid = read_image(ct).grid
    truth = read_labels(labels) if labels else None
    if truth and not truth.grid.same_as(grid, tolerance=0.01):
        sys.exit(f"Labels must lie on the grid of the CT: {labels}")
    maps = {variant: np.load(folder / f"{variant}.npy") for variant in VARIANTS}
    table = []
    for organ in bundle.find().classes:
        masks = {variant: found == organ.number for variant, found in maps.items()}
        row = {"organ": organ.name, "ml": np.count_nonzero(masks["a"]) * grid.voxel_volume}
        row |= {variant: dice(masks[variant], masks["a"]) for variant in "bcd"}
        real = truth.array == organ.number if truth else np.zeros(1, bool)
        if real.any():  # an organ that the labels lack may only not have been annotated
            row |= {f"truth_{variant}": dice(masks[variant], real) for variant in "ad"}
        table.append(row)
    return table


def show(table: list[dict]) -> None:
    import numpy as np

    columns = {"b": "b to a", "c": "c to a", "d": "d to a",
               "truth_a": "a to labels", "truth_d": "d to labels"}
    columns = {key: title for key, title in columns.items() if any(key in row for row in table)}

    def line(*cells: str) -> None:
        print(f"{cells[0]:<24}" + "".join(f"{cell:>13}" for cell in cells[1:]))

    line("Dice", "mL in a", *columns.values())
    for row in table:
        line(row["organ"], f"{row['ml']:.1f}",
             *(f"{row[key]:.4f}" if key in row else "" for key in columns))
    line("mean", "", *(f"{np.nanmean([row[key] for row in table if key in row]):.4f}"
                       for key in columns))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ct", nargs="?", type=Path, metavar="CT", help="NIfTI; default: a phantom")
    parser.add_argument("--labels", type=Path, help="organ numbers on the CT's grid, NIfTI")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, ct, labels = Path(name), args.ct, args.labels
        if ct is None:
            ct, labels = folder / "ct.nii.gz", folder / "labels.nii.gz"
            alone(make_phantom, ct, labels)
        print(f"{ct}\n{os.cpu_count()} CPUs; load before: {os.getloadavg()[0]:.1f}\n", flush=True)
        print(f"{'':<62}{'seconds':>9}{'CPU s':>9}{'faster':>8}{'MB':>7}{'of (a)':>8}")
        measured: dict[str, Measured] = {}
        for variant in VARIANTS:
            measured[variant] = run = alone(measure, variant, ct, folder / f"{variant}.npy")
            first = measured["a"]
            print(f"({variant}) {run.title:<58}{run.seconds:>9.1f}{run.cpu_seconds:>9.1f}"
                  f"{first.seconds / run.seconds:>8.2f}{run.memory:>7.0f}"
                  f"{run.memory / first.memory:>8.3f}", flush=True)
        print(f"\nload after: {os.getloadavg()[0]:.1f}\n")
        table = compare(ct, labels, folder)
    show(table)
    print()
    found = targets(measured, table)
    for met, sentence in found:
        print("PASS" if met else "MISS", sentence)
    return 0 if all(met for met, _ in found) else 1


if __name__ == "__main__":
    sys.exit(main())
