"""A model labels what a data set does not annotate, where it is sure."""

import numpy as np
import pytest
import torch

from metaunetr.engine import Segmenter
from metaunetr.errors import InputError, OutputError
from metaunetr_training.cli import parser
from metaunetr_training.data.prepared import BRIGHTEST, UNKNOWN, Prepared
from metaunetr_training.training import pseudo_labels
from metaunetr_training.training.sampler import PatchDataset
from tiny_bundle import card, write_bundle
from tiny_prepared import tiny_recipe, write_prepared

LIVER, SPLEEN = 6, 1
PREPROCESSING = card()["preprocessing"] | {"hu_window": [-175, 250]}  # of the prepared cases


def write_model(folder, **changes):
    """Knows spleen, kidneys and liver."""
    return write_bundle(folder, preprocessing=PREPROCESSING | changes)


@pytest.fixture
def prepared(tmp_path) -> Prepared:
    """Two cases that annotate the liver only; the first is held out."""
    return write_prepared(tmp_path / "prepared", cases=2, organs=(LIVER,))


@pytest.fixture
def model(tmp_path) -> Segmenter:
    return Segmenter(write_model(tmp_path / "model"), "cpu", precision="float32")


@pytest.mark.parametrize(("organ", "spleen", "expected", "labelled"), [
    ("found", 0.9, SPLEEN, (SPLEEN,)),
    ("not sure enough, in one of two voxels", (0.9, 0.6), (SPLEEN, UNKNOWN), (SPLEEN,)),
    ("not sure enough on average", (0.75, 0.6), (0, UNKNOWN), ()),
    ("not found", None, 0, ()),
])
def test_voxels_and_organs_of_low_probability_are_left_out(
    prepared, model, monkeypatch, organ, spleen, expected, labelled
):
    case = prepared.cases[1]
    volume = np.array(case.image())
    likeliest = torch.zeros(volume.shape, dtype=torch.uint8)
    probability = torch.ones(volume.shape)
    if spleen is not None:
        likeliest[0, 0, :2] = 1
        probability[0, 0, :2] = torch.tensor(spleen)
    liver = case.labels() == LIVER
    likeliest[torch.from_numpy(liver)] = 1  # is overruled by the data set
    monkeypatch.setattr(pseudo_labels, "_predict", lambda *args: (likeliest, probability))
    labels, found = pseudo_labels.label_organs(case, volume, model, 0.7)
    wanted = np.zeros_like(labels)
    wanted[0, 0, :2] = expected
    wanted[liver] = LIVER
    np.testing.assert_array_equal(labels, wanted)
    assert found == labelled


def test_only_background_and_unannotated_organs_compete(prepared, model):
    volume = np.array(prepared.cases[1].image())
    channels = [0, 1, 2, 3]
    likeliest, probability = pseudo_labels._predict(volume, model, channels)
    padded = np.zeros((32, 48, 48), np.float32)  # one window
    padded[:, 4:44, 2:46] = volume / BRIGHTEST
    with torch.no_grad():
        logits = model.network.eval()(torch.from_numpy(padded)[None, None])[0]
    expected = logits[channels, :, 4:44, 2:46].softmax(0).max(0)
    torch.testing.assert_close(probability, expected.values, atol=1e-4, rtol=0)
    assert (likeliest == expected.indices).float().mean() > 0.999


def test_the_copy_is_what_training_reads(prepared, tmp_path, capsys):
    copy = tmp_path / "copy"
    args = parser().parse_args(["pseudo-label", str(prepared.folder), str(copy), "--model",
                                str(write_model(tmp_path / "model")), "--confidence", "0.5"])
    args.run(args)
    assert "1 of 2 cases" in capsys.readouterr().out
    held_out, case = Prepared.read(copy).cases
    np.testing.assert_array_equal(held_out.labels(), prepared.cases[0].labels())
    assert held_out.annotated == {LIVER} < case.annotated
    assert case.state != prepared.cases[1].state
    labels = case.labels()
    assert set(np.unique(labels)) - {0, UNKNOWN} == case.annotated == case.points.keys()
    np.testing.assert_array_equal(labels == LIVER, prepared.cases[1].labels() == LIVER)
    patch = PatchDataset([case], tiny_recipe("organs=[liver, right kidney]"))[0]
    assert patch["annotated"].tolist() == [True, True, True]
    assert set(patch["labels"].unique().tolist()) <= {0, 1, 2, UNKNOWN}


@pytest.mark.parametrize(("organs", "spacing", "error", "words"), [
    ((6, 1, 2, 3), [6, 6, 6], InputError, "all training cases annotate every organ of tiny"),
    ((6,), [5, 5, 5], InputError, "was prepared with .* the model tiny needs"),
    ((6,), [6, 6, 6], OutputError, "exists"),
])
def test_what_cannot_be_labelled_is_refused(tmp_path, organs, spacing, error, words):
    prepared = write_prepared(tmp_path / "prepared", cases=2, organs=(LIVER,))
    model = Segmenter(write_model(tmp_path / "model", spacing_mm=spacing), "cpu")
    if len(organs) > 1:
        for case in prepared.cases:
            case.source.mapping.update({n: (n,) for n in organs})
    target = tmp_path / "copy"
    if error is OutputError:
        target.mkdir()
    with pytest.raises(error, match=words):
        pseudo_labels.add_pseudo_labels(prepared, target, model, 0, 0.7, lambda line: None)
    assert error is OutputError or not target.exists()
