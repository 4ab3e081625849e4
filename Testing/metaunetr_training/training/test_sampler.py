"""PatchDataset: where patches are cut, and that each depends on its number alone."""

from __future__ import annotations

from errno import ENOSPC

import numpy as np
import pytest
import torch

from metaunetr.errors import DeviceError, InputError
from metaunetr_training.training.distributed import ProcessGroup
from metaunetr_training.training.sampler import (
    PatchDataset,
    batches,
    crop_patch,
    explain_shared_memory,
)
from tiny_prepared import tiny_recipe, write_prepared

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return write_prepared(tmp_path_factory.mktemp("prepared"))


def same(a: dict, b: dict) -> bool:
    return all(torch.equal(a[key], b[key]) for key in ("image", "labels", "annotated")) \
        and a["name"] == b["name"]


def test_a_patch_depends_on_seed_and_number_alone(prepared):
    recipe = tiny_recipe()
    patches = PatchDataset(list(prepared.cases), recipe)
    first = [patches[n] for n in (5, 0, 7)]
    again = [PatchDataset(list(prepared.cases), recipe)[n] for n in (5, 0, 7)]
    assert all(map(same, first, again))
    other = PatchDataset(list(prepared.cases), tiny_recipe("training.seed=1"))
    assert not all(same(patches[n], other[n]) for n in range(8))


def test_labels_are_classes_of_the_recipe_and_lie_on_the_image(prepared):
    patches = PatchDataset(list(prepared.cases), tiny_recipe("organs=[spleen, pancreas, liver]"))
    for number in range(8):
        patch = patches[number]
        assert set(patch["labels"].unique().tolist()) <= {0, 1, 3}  # no left kidney, no pancreas
        assert patch["annotated"].tolist() == [True, True, False, True]
        spleen = patch["labels"] == 1
        if spleen.any():
            assert patch["image"][0][spleen].mean() == pytest.approx(0.75, abs=0.02)


def test_chosen_patches_hold_an_organ_and_rare_organs_as_often(prepared):
    patches = PatchDataset(list(prepared.cases), tiny_recipe(
        "training.foreground=1", "training.patch=[16, 16, 16]"))
    found = [set(patches[n]["labels"].unique().tolist()) - {0} for n in range(60)]
    assert all(found)
    assert sum(3 in organs for organs in found) > 15  # the smallest ball


def test_all_patches_of_a_batch_have_one_of_the_sizes(prepared):
    recipe = tiny_recipe("training.batch_size=2", "training.patch=[16, 32, 32]",
                         "training.more_patches=[[32, 16, 16], [48, 16, 32]]")
    patches = PatchDataset(list(prepared.cases), recipe)
    sizes = [tuple(patches[n]["labels"].shape) for n in range(40)]
    assert sizes[::2] == sizes[1::2]
    assert set(sizes) == {(16, 32, 32), (32, 16, 16), (48, 16, 32)}


def test_every_case_once_before_any_comes_again(prepared):
    patches = PatchDataset(list(prepared.cases), tiny_recipe())
    names = [patches[n]["name"].split(" ")[0] for n in range(8)]
    assert len(set(names[:4])) == len(set(names[4:])) == 4


def test_data_sets_are_drawn_by_their_weights(tmp_path):
    few, many = (write_prepared(tmp_path / name, cases=count, dataset=name)
                 for name, count in (("few", 2), ("many", 6)))
    recipe = tiny_recipe("training.dataset_weights={few: 9}")
    patches = PatchDataset([*few.cases, *many.cases], recipe)
    names = [patches[n]["name"].split("/")[0] for n in range(80)]
    assert names.count("few") == 60  # 2 · 9 of 2 · 9 + 6


def test_weights_that_are_all_zero_are_refused(prepared):
    with pytest.raises(InputError, match=r"dataset_weights are 0 for all data sets: tiny"):
        PatchDataset(list(prepared.cases), tiny_recipe("training.dataset_weights={tiny: 0}"))


def test_cases_without_an_organ_of_the_recipe_are_left_out(tmp_path):
    prepared = write_prepared(tmp_path, cases=2, organs=(6,))
    with pytest.raises(InputError, match="no case to train on that annotates one of spleen"):
        PatchDataset(list(prepared.cases), tiny_recipe("organs=[spleen]"))


@pytest.mark.parametrize(("start", "expected"), [
    ((0, 0, 0), [[0, 1], [4, 5]]),
    ((2, 2, 2), [[42, 43], [46, 47]]),
    ((0, -1, -1), [[0, 0], [0, 0]]),
    ((0, 3, 3), [[15, 0], [0, 0]]),
])
def test_a_box_in_plane_is_filled_up_with_air(start, expected):
    array = np.arange(64).reshape(4, 4, 4)
    assert crop_patch(array, start, (1, 2, 2))[0].tolist() == expected


@pytest.mark.parametrize(("start", "slices"), [(-2, [0, 0, 0, 1]), (2, [2, 3, 3, 3]),
                                               (-1, [0, 0, 1, 2])])
def test_the_first_and_last_slice_are_repeated(start, slices):
    array = np.broadcast_to(np.arange(4)[:, None, None], (4, 2, 2))
    assert crop_patch(array, (start, 0, 0), (4, 2, 2), edge=True)[:, 0, 0].tolist() == slices


@pytest.mark.parametrize("workers", [0, 2])
def test_two_processes_get_the_patches_that_one_gets_and_a_resumed_run_goes_on(prepared, workers):
    recipe = tiny_recipe("training.batch_size=4", f"training.workers={workers}")
    patches = PatchDataset(list(prepared.cases), recipe)
    one = batches(patches, recipe, ProcessGroup(0, 1, CPU), 0)
    two = [batches(patches, recipe, ProcessGroup(rank, 2, CPU), 0) for rank in range(2)]
    alone = [next(one)["number"].tolist() for _ in range(3)]
    both = [[n for part in two for n in next(part)["number"].tolist()] for _ in range(3)]
    assert alone == both == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert next(batches(patches, recipe, ProcessGroup(0, 1, CPU), 2))["number"].tolist() == alone[2]


def test_a_batch_that_cannot_be_divided(prepared):
    with pytest.raises(InputError, match="divisible by the number of processes, 2: 3"):
        ProcessGroup(0, 2, CPU).patch_numbers(3, 0)


@pytest.mark.parametrize(("error", "explained"), [
    (RuntimeError("Caught RuntimeError in DataLoader worker process 0. … RuntimeError: unable to "
                  "allocate shared memory(shm) for file </torch_24_2>: No space left"), True),
    (RuntimeError("DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that "
                  "dataloader's workers are out of shared memory."), True),
    (OSError(ENOSPC, "No space left on device"), True),  # of the semaphores
    (OSError(ENOSPC, "No space left on device", "losses.csv"), False),
    (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
])
def test_a_lack_of_shared_memory_is_explained(error, explained):
    with pytest.raises(DeviceError if explained else type(error)), explain_shared_memory():
        raise error
