import dataclasses

import numpy as np
import pytest
import torch

from analytic import HuBins, analytic_image, make_bundle
from metaunetr.engine import Segmenter
from metaunetr.engine.backends import Backend
from metaunetr.errors import BundleError, Cancelled, InputError
from metaunetr.fill import as_air
from metaunetr.network import architecture, build
from metaunetr.organs import find


def test_a_result_holds_labels_organs_and_a_record_that_names_everything():
    image = analytic_image((1.5, 1.5, 3.0))
    events = []
    result = Segmenter(make_bundle(HuBins()), device="cpu").segment(
        image, report=events.append)
    assert result.labels.grid == image.grid and result.labels.array.dtype == np.uint8
    assert [found.organ.number for found in result.organs] == [1, 2, 6]
    for found in result.organs:
        inside = result.labels.array == found.organ.number
        assert found.voxels == inside.sum()
        assert found.volume_ml == pytest.approx(inside.sum() * 1.5 * 1.5 * 3 / 1000)
    liver = result.organs[2]
    inside = image.array[result.labels.array == 6]
    assert (liver.hu_mean, liver.hu_sd) == pytest.approx((inside.mean(), inside.std()))
    record = result.record
    assert record["model"] == "stand-in" and record["precision"] in ("float32", "bfloat16")
    assert {"network", "restore", "resample"} <= record["seconds"].keys()
    assert "Not for diagnosis" in record["disclaimer"]
    done = [event["done"] for event in events if event["event"] == "windows"]
    assert done == list(range(1, record["windows"] + 1))
    (planned,) = (event["windows"] for event in events if event["event"] == "estimate")
    assert planned == record["windows"]


def test_the_record_tells_images_apart_by_voxels_and_by_place():
    engine = Segmenter(make_bundle(HuBins()), device="cpu")
    image = analytic_image()
    brighter = dataclasses.replace(image, array=image.array + np.int16(1))
    moved = dataclasses.replace(image, grid=dataclasses.replace(image.grid, origin=(0, 0, 0)))
    hashes = [engine.segment(i).record["input_sha256"] for i in (image, image, brighter, moved)]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


def test_fill_at_the_border_is_segmented_as_air(monkeypatch):
    monkeypatch.setattr("metaunetr.engine.segmenter.as_air", as_air)
    image = analytic_image()
    hu = image.array + np.random.default_rng(0).integers(-2, 3, image.array.shape, np.int16)
    hu[:, :4] = hu[:, -4:] = -1024
    filled = hu.copy()
    filled[:, :4] = filled[:, -4:] = 3000
    engine = Segmenter(make_bundle(HuBins()), device="cpu")
    air, fill = (engine.segment(dataclasses.replace(image, array=array)) for array in (hu, filled))
    assert np.array_equal(fill.labels.array, air.labels.array)
    assert fill.record["input_sha256"] != air.record["input_sha256"]


def test_only_the_organs_asked_for_are_written_and_measured():
    image = analytic_image()
    engine = Segmenter(make_bundle(HuBins()), device="cpu")
    everything = engine.segment(image).labels.array
    liver = engine.segment(image, organs=[find("liver")])
    assert np.array_equal(liver.labels.array, np.where(everything == 6, 6, 0))
    assert [found.organ.name for found in liver.organs] == ["liver"]
    assert liver.record["organs"] == ["liver"]


def test_a_mirrored_image_is_found_by_organs_that_were_not_asked_for():
    image = analytic_image()
    mirrored = dataclasses.replace(image, array=image.array[:, :, ::-1].copy())
    engine = Segmenter(make_bundle(HuBins()), device="cpu")
    for organs in ([find("liver")], [find("right kidney")], None):
        result = engine.segment(mirrored, organs=organs)
        assert result.warnings == (
            "The liver lies left of the spleen: the image may be mirrored.",)
        assert any("wrong side" in flag for flag in result.organs[0].flags) == (
            organs != [find("right kidney")])


@pytest.mark.parametrize("organs", [[], [find("duodenum")], [find("liver"), find("aorta")]])
def test_organs_that_the_model_does_not_know_are_refused(organs):
    engine = Segmenter(make_bundle(HuBins()), device="cpu")
    with pytest.raises(InputError, match=r"does not know .* it knows: liver, spleen, right kidney"):
        engine.segment(analytic_image(), organs=organs)


def test_what_the_report_raises_ends_the_run():
    def report(event):
        if event["event"] == "windows":
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        Segmenter(make_bundle(HuBins()), device="cpu").segment(
            analytic_image(), report=report)


def test_every_ct_starts_on_the_first_backend():
    """What one CT was too large for may work for the next, and labels depend on no other CT."""
    engine = Segmenter(make_bundle(HuBins()), device="cpu")
    meta = torch.device("meta")  # it cannot copy its results to the CPU
    engine.backends.insert(0, Backend(meta, torch.float32, 1, meta))
    for _ in range(2):
        result = engine.segment(analytic_image(extent=(60, 60, 60)))
        assert [text.split()[0] for text in result.warnings] == ["meta"]
        assert result.device_warnings == result.warnings
        assert result.record["device"] == "cpu"


def test_the_same_image_gives_the_same_labels_and_uncertainty_again():
    image = analytic_image((2.0, 2.0, 3.0))
    engine = Segmenter(make_bundle(HuBins()), device="cpu")
    first, second = (engine.segment(image, uncertainty=True) for _ in range(2))
    assert np.array_equal(first.labels.array, second.labels.array)
    assert np.array_equal(first.uncertainty.array, second.uncertainty.array)
    assert 0 < first.uncertainty.array.max() <= 100
    # borders between organs are where a network is undecided
    inside = first.uncertainty.array[first.labels.array == 6]
    assert inside.max() > np.median(inside) + 5


def test_logits_that_do_not_fit_into_float16_are_refused():
    class Loud(HuBins):
        def forward(self, x):
            return 1e4 * super().forward(x)

    with pytest.raises(BundleError, match=r"stand-in: the logits .* 65504, they reach \d"):
        Segmenter(make_bundle(Loud()), "cpu", precision="float32").segment(analytic_image())


def test_windows_suit_the_stride_of_the_network():
    network = build(architecture("published", "identity", classes=4, feature_size=4))
    bundle = make_bundle(network, patch=(32, 64, 64))
    bundle = dataclasses.replace(bundle, multiple=network.stride)
    result = Segmenter(bundle, device="cpu").segment(analytic_image(extent=(60, 60, 60)))
    assert result.labels.array.shape == result.labels.grid.shape
