"""CKA between trained networks, and within each: heat maps and a table, as in the paper.

An example is a patch of a held-out case; its features are all voxels and channels of a map, like
those of an image in Nguyen et al. Stages differ in resolution and channels, so patches are the only
examples that all of them share. (The paper does not define its examples; its code has no CKA.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from metaunetr.errors import InputError, OutputError
from metaunetr.io.atomic import write_text
from metaunetr_training.data.prepared import Prepared
from metaunetr_training.experiments import heat_maps
from metaunetr_training.experiments.cka import FEWEST, MinibatchCKA, centred_gram
from metaunetr_training.experiments.features import Maps, levels_and_layers
from metaunetr_training.experiments.heat_maps import HeatMap
from metaunetr_training.training.distributed import process_group
from metaunetr_training.training.run import Run
from metaunetr_training.training.sampler import PatchDataset

BATCH = 8  # patches whose feature maps, of one network, are held in memory
Report = Callable[[dict[str, Any]], None]


def compare(
    runs: Sequence[Run], prepared: Prepared, patches: int, folder: Path, device: str,
    report: Report,
) -> None:
    """Compares every run with itself, and the first with each of the others.

    Writes cka.csv (all pairs), within.png and between.png (levels), layers_within.png and
    layers_between.png (of the encoder), and README.md (runs and cases) into `folder`.

    Args:
        report: called with {"event": "cka", "done": minibatches, "all": minibatches}.

    Raises:
        InputError: the runs differ in fold, preprocessing or patch, or there are too few patches.
        OutputError: `folder` cannot be written to.
    """
    networks = [run.network() for run in runs]
    _require_comparable(runs, networks, patches)
    cases = prepared.held_out(runs[0].fold)
    if not cases:
        raise InputError(f"{runs[0].folder}: holds no case out, so there is none to compare "
                         "features on")
    examples = PatchDataset(cases, runs[0].recipe)
    names = _names(runs)
    with process_group(device) as group:
        levels, layers = compute(networks, examples, patches, group.device, report)
    note = _note(runs, examples, patches)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from error
    tables = []
    for prefix, found in (("", levels), ("layers_", layers)):
        for kind, drawn in zip(("within", "between"), pairs(names, found), strict=True):
            if drawn:
                heat_maps.draw(folder / f"{prefix}{kind}.png", drawn, note)
                tables += drawn
    heat_maps.write_table(folder / "cka.csv", tables)
    write_text(folder / "README.md", f"# CKA of {', '.join(names)}\n\n{note}\n")


def _require_comparable(runs: Sequence[Run], networks: Sequence[nn.Module], patches: int) -> None:
    if patches < FEWEST:
        raise InputError(f"unbiased HSIC needs at least {FEWEST} patches: {patches}")
    first, patch = runs[0], runs[0].recipe.training.patch
    for run, network in zip(runs, networks, strict=True):
        if (run.fold, run.recipe.preprocessing) != (first.fold, first.recipe.preprocessing):
            raise InputError("runs that are compared must hold out the same fold of cases "
                             f"prepared alike: {first.folder} and {run.folder} do not")
        if any(n % network.stride for n in patch):
            raise InputError(f"{run.folder}: takes patches divisible by {network.stride}, "
                             f"not those of {first.folder}: {patch}")


class PairwiseCKA:
    """CKA of the feature maps of several networks, with their names."""

    def __init__(self) -> None:
        self.cka = MinibatchCKA()
        self.names: list[list[str]] = []

    def add(self, grams: Sequence[dict[str, Tensor]]) -> None:
        """One minibatch: the Gram matrices of each network."""
        self.names = [list(of_network) for of_network in grams]
        if any(self.names):
            self.cka.add([gram for of_network in grams for gram in of_network.values()])

    def between(self, one: int, other: int) -> np.ndarray:
        """CKA of the maps of network `one` (rows) and `other` (columns)."""
        ends = np.cumsum([0] + [len(names) for names in self.names])
        matrix = self.cka.matrix().numpy()
        return matrix[ends[one] : ends[one + 1], ends[other] : ends[other + 1]]


def compute(
    networks: Sequence[nn.Module], examples: PatchDataset, patches: int, device: torch.device,
    report: Report,
) -> tuple[PairwiseCKA, PairwiseCKA]:
    """CKA of levels, and of the encoder's layers.

    Each minibatch passes through one network after the other; only Gram matrices are kept.
    """
    levels, layers = PairwiseCKA(), PairwiseCKA()
    batches = np.array_split(np.arange(patches), math.ceil(patches / BATCH))
    for done, numbers in enumerate(batches, 1):
        images = [examples[int(number)]["image"][None] for number in numbers]  # (1, 1, D, H, W)
        grams = [_grams(network.to(device), images, device) for network in networks]
        levels.add([of_levels for of_levels, _ in grams])
        layers.add([of_layers for _, of_layers in grams])
        report({"event": "cka", "done": done, "all": len(batches)})
    return levels, layers


def _grams(
    network: nn.Module, images: Sequence[Tensor], device: torch.device
) -> tuple[Maps, Maps]:
    """The centred Gram matrix of every level, and of every layer."""
    seen = [levels_and_layers(network, image.to(device)) for image in images]
    return tuple(
        {name: centred_gram([example[kind][name] for example in seen]) for name in seen[0][kind]}
        for kind in (0, 1)
    )


def pairs(names: Sequence[str], found: PairwiseCKA) -> tuple[list[HeatMap], list[HeatMap]]:
    """Heat maps of every network with itself, and of the first (rows) with each of the others."""
    having = [n for n, maps_of in enumerate(found.names) if maps_of]
    pairs = [(n, n) for n in having], [(0, n) for n in having if n and 0 in having]
    return tuple(
        [HeatMap(names[a], found.names[a], names[b], found.names[b], found.between(a, b))
         for a, b in some]
        for some in pairs
    )


def _names(runs: Sequence[Run]) -> list[str]:
    """The names of the runs' folders; numbered where they are equal."""
    plain = [run.folder.resolve().name for run in runs]
    return [name if plain.count(name) == 1 else f"{name} ({n})"
            for n, name in enumerate(plain, 1)]


def _note(runs: Sequence[Run], examples: PatchDataset, patches: int) -> str:
    counts = [str(run.record.get("iterations", "unknown")) for run in runs]
    iterations = counts[0] if len(set(counts)) == 1 else ", ".join(counts)
    data = ", ".join(sorted({case.source.dataset for case in examples.cases}))
    return (f"minibatch CKA, unbiased HSIC; {patches} patches of {len(examples.cases)} held-out "
            f"cases ({data}), {BATCH} a minibatch; trained for {iterations} iterations. "
            "A small budget, or phantoms, says nothing about networks trained on real CT.")
