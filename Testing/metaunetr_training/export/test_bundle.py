"""A run becomes a bundle that a fresh process can use, or nothing at all."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from metaunetr import Segmenter, bundle
from metaunetr.errors import BundleError, InputError, OutputError
from metaunetr_training.export.bundle import CardTexts, accuracy, export, make_card, summary, verify
from tiny_bundle import small_ct, write_bundle
from tiny_prepared import tiny_recipe

SUMMARY = {
    "model": "tiny", "split": "fold 0", "cases": 2, "mean_dice": 0.51234, "failed": 0,
    "organs": {"liver": {"n": 2, "dice": 0.81234, "missed": 0}, "spleen": {"n": 0, "dice": None}},
    "calibration": {"intercept": -2.0, "logit_confidence": 1.0, "log_volume_ml": 0.3, "n": 40},
}


@pytest.fixture
def unchecked(monkeypatch):
    monkeypatch.setattr("metaunetr_training.export.bundle.verify", lambda folder, ct: None)


def evaluated(run, folder, values):
    """The run in another folder, where it has been evaluated."""
    copy = replace(run, folder=shutil.copytree(run.folder, folder))
    (copy.folder / "evaluation").mkdir()
    (copy.folder / "evaluation" / "summary.json").write_text(
        json.dumps({"model_sha256": run.bundle().sha256} | values))
    return copy


@pytest.mark.slow
def test_a_fresh_process_segments_with_it_as_the_run_does(trained, tmp_path):
    made = export(trained, tmp_path / "mine", CardTexts(data_licence="CC BY 4.0"))
    assert [made.name, made.card["data_licence"]] == ["mine", "CC BY 4.0"]
    assert list(tmp_path.iterdir()) == [tmp_path / "mine"]
    found = [Segmenter(model, "cpu").segment(small_ct()).labels.array
             for model in (trained.bundle(), made)]
    assert np.mean(found[0] == found[1]) > 0.99  # 8-bit weights
    weights = load_file(made.folder / "weights.safetensors")
    assert {t.dtype for name, t in weights.items() if t.ndim > 1 and ":" not in name} == {
        torch.int8}


def test_the_card_tells_what_was_learnt_from_what(trained):
    card = make_card(trained, "mine", CardTexts())
    assert card["training"]["cases"] == {"tiny": 2}
    assert card["training"]["data"] == "2 CT of tiny"
    assert card["training"]["iterations"] == 4
    assert "log Dice" in card["training"]["loss"]
    assert "training" not in card["training"], "names of cases stay in the run"
    assert card["training"]["recipe"] == tiny_recipe().to_json()
    assert card["title"] == "Abdomen, 3 organs, 6 × 6 × 6 mm"
    assert card["accuracy"] == "not measured"
    assert "calibration" not in card
    assert card["data_licence"].startswith("unknown")
    json.dumps(card, allow_nan=False)


def test_the_card_tells_what_evaluate_has_measured(trained, tmp_path, unchecked):
    card = make_card(evaluated(trained, tmp_path / "run", SUMMARY), "mine", CardTexts())
    assert card["accuracy"]["fold 0 (n=2)"] == {"liver": 0.812, "mean": 0.512}
    assert card["accuracy"]["details"]["organs"] == SUMMARY["organs"]
    assert card["calibration"] == SUMMARY["calibration"]


def test_accuracy_of_other_weights_is_not_told(trained, tmp_path):
    run = evaluated(trained, tmp_path / "run", SUMMARY | {"model_sha256": "0" * 64})
    with pytest.raises(InputError, match="measured with other weights"):
        make_card(run, "mine", CardTexts())


@pytest.mark.parametrize("text", ["{", "[]", '{"organs": 3}'])
def test_a_damaged_evaluation_is_refused(tmp_path, text):
    (tmp_path / "summary.json").write_text(text)
    with pytest.raises(InputError, match=r"summary.json: .*run `evaluate` again"):
        summary(tmp_path / "summary.json")


def test_without_cases_nothing_is_claimed():
    assert accuracy({}) == "not measured"


def test_a_baseline_is_refused(trained, tmp_path):
    network = replace(trained.recipe.network, family="U-Net")
    run = replace(trained, recipe=replace(trained.recipe, network=network))
    with pytest.raises(InputError, match="a U-Net is a baseline"):
        export(run, tmp_path / "mine")


def test_what_exists_is_kept(trained, tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(OutputError, match="mine: exists; remove it"):
        export(trained, tmp_path / "mine")


def test_a_bundle_that_fails_the_check_does_not_appear(trained, tmp_path):
    with pytest.raises(BundleError, match=r"cannot segment .*none.nii.gz: metaunetr: .*none.nii"):
        export(trained, tmp_path / "mine", ct=tmp_path / "none.nii.gz")
    assert not list(tmp_path.iterdir())


def test_the_check_finds_damaged_weights(tmp_path, ct):
    folder = write_bundle(tmp_path / "damaged", sha256="0" * 64)
    with pytest.raises(BundleError, match="SHA-256 differs"):
        verify(folder, ct)


def test_keys_stand_in_the_order_of_the_other_cards(trained, tmp_path, unchecked):
    card = export(trained, tmp_path / "mine").card
    ours = list(json.loads((bundle.find("abdomen13-2mm").folder / "card.json").read_text()))
    assert [key for key in card if key in ours] == [key for key in ours if key in card]
