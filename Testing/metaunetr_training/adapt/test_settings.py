"""The recipe by which a model is adapted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from metaunetr import bundle
from metaunetr_training.adapt.settings import recipe_of
from metaunetr_training.export.bundle import training_record
from metaunetr_training.training.run import Run
from tiny_corrections import tiny_model

DERIVED = ((32, 48, 64), (48, 32, 40))  # low and wide, high and narrow


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    model = tiny_model(tmp_path_factory.mktemp("start") / "tiny")
    return replace(model, smallest=(32, 32, 40), largest=(48, 48, 64))


def trained_on(sizes) -> dict:
    return {"recipe": {"training": {"more_patches": sizes}}}


@pytest.mark.parametrize(("training", "sizes"), [
    (trained_on([[40, 32, 32], [32, 32, 48]]), ((40, 32, 32), (32, 32, 48))),
    (trained_on([]), DERIVED),
    (trained_on([[32, 32]]), DERIVED),
    (trained_on("many"), DERIVED),
    ("15 CT of BTCV", DERIVED),
])
def test_patches_have_the_sizes_that_the_model_was_trained_on_or_may_meet(start, training, sizes):
    model = replace(start, card=start.card | {"training": training})
    adapting = recipe_of(model, 1).training
    assert (adapting.patch, adapting.more_patches) == (start.patch, sizes)


def test_a_model_with_windows_of_one_size_has_patches_of_one_size(start):
    model = replace(start, smallest=start.patch, largest=start.patch)
    assert recipe_of(model, 1).training.more_patches == ()


def test_the_bundled_model_keeps_its_five_sizes_however_often_it_is_adapted(tmp_path):
    model = bundle.find(None)
    recipe = recipe_of(model, 1)
    assert len(recipe.training.more_patches) == 4
    record = training_record(Run(tmp_path, recipe, tmp_path, 0, {}))
    again = recipe_of(replace(model, card=model.card | {"training": record}), 1)
    assert again == recipe
