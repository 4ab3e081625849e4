"""Recipes: complete, strict, and changed on the command line."""

from __future__ import annotations

import pytest

from metaunetr.errors import InputError
from metaunetr_training import recipe as recipes
from metaunetr_training.recipe import CONFIGS
from metaunetr_training.training.requirements import require_trainable

NAMES = sorted(path.stem for path in CONFIGS.glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_is_complete_and_can_end_as_a_model(name):
    recipe = recipes.load(name, ["network.feature_size=4"])
    assert recipe.name == name
    require_trainable(recipe)


@pytest.mark.parametrize(("name", "iterations", "organs"), [
    ("paper_btcv", 30_000, 13), ("paper_amos", 30_000, 15), ("paper_abdomenct1k", 50_000, 5),
])
def test_the_recipes_of_the_paper(name, iterations, organs):
    recipe = recipes.load(name)
    assert recipe.preprocessing.spacing == (1.5, 1.5, 2.0)
    assert recipe.preprocessing.hu_window == (-175, 250)
    assert recipe.training.patch == (96, 96, 96)
    assert recipe.network.feature_size == 48
    assert (recipe.training.iterations, len(recipe.organs)) == (iterations, organs)


def test_what_was_written_is_read_again(tmp_path):
    recipe = recipes.load("fast", ["training.max_minutes=2.5", "network.mixer_options={kernel: 5}"])
    (tmp_path / "recipe.yaml").write_text(recipe.to_yaml())
    assert recipes.load(tmp_path / "recipe.yaml") == recipe
    assert recipe.network.mixer_options == {"kernel": 5}


@pytest.mark.parametrize(("change", "found"), [
    ("training.iterations=7", 7), ("training.learning_rate=1e-4", 1e-4),
    ("training.max_minutes=90", 90.0), ("training.patch=[32, 48, 64]", (32, 48, 64)),
    ("training.compile=no", "no"), ("training.compile=yes", "yes"),
])
def test_single_values_are_replaced(change, found):
    key = change.partition("=")[0].partition(".")[2]
    for recipe in (recipes.load("fast", [change]), recipes.changed(recipes.load("fast"), [change])):
        assert getattr(recipe.training, key) == found


def test_words_that_yaml_reads_as_truth_values_stay_words(tmp_path):
    text = (CONFIGS / "fast.yaml").read_text(encoding="utf-8")
    path = tmp_path / "recipe.yaml"
    path.write_text(text.replace("compile: auto", "compile: no"), encoding="utf-8")
    recipe = recipes.load(path)
    assert recipe.training.compile == "no"
    path.write_text(recipe.to_yaml(), encoding="utf-8")
    assert recipes.load(path) == recipe


@pytest.mark.parametrize(("change", "message"), [
    ("training.iterations", r"section\.key=value: 'training.iterations'"),
    ("training.speed=1", "training may hold iterations, .* not 'speed'"),
    ("trainer.speed=1", "no section 'trainer'"),
    ("training.iterations=many", "iterations must be a whole number: 'many'"),
    ("training.iterations=1.5", "a whole number: 1.5"),
    ("training.patch=[32, 32]", r"training.patch must be 3 whole numbers: \[32, 32\]"),
    ("inference.overlap=0.95", "inference.overlap must be a number from 0 to 0.9: 0.95"),
    ("training.gradient_clip=.inf", "training.gradient_clip must be a number: inf"),
    ("augmentation.noise=nan", "augmentation.noise must be a number: 'nan'"),
    ("training.dataset_weights={btcv: many}", "dataset_weights must be a number: 'many'"),
    ("training.dataset_weights={btcv: -1}", "dataset_weights must be at least 0: -1"),
    ("training.iterations=0", "training.iterations must be at least 1: 0"),
    ("training.batch_size=0", "training.batch_size must be at least 1"),
    ("training.validate_every=0", "training.validate_every must be at least 1"),
    ("training.checkpoint_every=-1", "training.checkpoint_every must be at least 1"),
    ("training.seed=[", "no YAML"),
    ("organs=[liver, heart]", "organs must be of .*: heart"),
    ("organs=[liver, liver]", "none or one twice"),
    ("organs=[]", "none or one twice"),
    ("preprocessing=3", "section preprocessing must hold keys and values: 3"),
])
def test_wrong_changes_name_key_and_value(change, message):
    with pytest.raises(InputError, match=message):
        recipes.load("fast", [change])


@pytest.mark.parametrize(("text", "message"), [
    ("", "recipe must hold keys and values: None"), ("3", "keys and values: 3"),
    ("speed: 3", "may hold name, .* not 'speed'"), ("{", "is no YAML file"),
    ("name: x", "must give 'organs'"), ("\x00", "is no YAML file"),
])
def test_a_damaged_file_is_named(tmp_path, text, message):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        recipes.load(path, ["training.seed=1"] if len(text) < 2 else [])
    assert str(path) in str(error.value)


def test_a_recipe_that_there_is_not_lists_those_that_there_are():
    with pytest.raises(InputError, match=r"no such recipe; known: .*fast.*phantom"):
        recipes.load("slow")
