"""Whole volumes through the engine: what is scored, what is kept, what is measured again."""

import os
from dataclasses import replace

import numpy as np
import pytest

from analytic import HuBins, Lopsided
from metaunetr import Segmenter, io
from metaunetr.errors import BundleError, DeviceError, OutputError
from metaunetr.organs import find
from metaunetr_training.data.case import TEST
from metaunetr_training.evaluation.cases import labels_path, measure, record_path

LIVER, SPLEEN, KIDNEY, STOMACH = (
    find(name).number for name in ("liver", "spleen", "right kidney", "stomach"))


def by_name(scores):
    return {score.organ: score for score in scores}


def quiet(line):
    pass


@pytest.fixture
def network_runs(monkeypatch):
    """Which CTs went through the network."""
    seen = []
    segment = Segmenter.segment

    def counted(self, image, *args, **kwargs):
        seen.append(image.source.name)
        return segment(self, image, *args, **kwargs)

    monkeypatch.setattr(Segmenter, "segment", counted)
    return seen


def test_a_network_that_knows_the_answer_scores_nearly_one(build, selection, tmp_path):
    lines = []
    scores, failed = measure(selection(build.case("a"), build.case("b")), tmp_path / "out", "cpu",
                             report=lines.append)
    found = by_name(scores[:3])
    assert not failed and [s.key for s in scores] == ["balls/a"] * 3 + ["balls/b"] * 3
    assert found["liver"].dice > 0.95 and found["spleen"].dice > 0.93
    assert found["liver"].hd95_mm <= 4.0 and found["liver"].reference_ml > 50
    assert 0.5 < found["liver"].confidence <= 1
    assert found["right kidney"].note == "in neither" and not found["right kidney"].scored
    assert lines[0].startswith("[1/2] balls/a: mean Dice 0.9")
    assert "2 organs" in lines[0] and "left" in lines[0] and "left" not in lines[1]


def test_what_a_case_does_not_annotate_is_neither_right_nor_wrong(build, selection, tmp_path):
    scores, _ = measure(selection(build.case("a", annotated=(LIVER, STOMACH))), tmp_path, "cpu",
                        report=quiet)
    assert [s.organ for s in scores] == ["liver"]  # the spleen was found, but is not annotated


@pytest.mark.parametrize(("change", "organ"), [
    (lambda labels: np.where(labels == SPLEEN, 0, labels), "spleen"),
    (lambda labels: np.where(labels == LIVER, KIDNEY, labels), "right kidney"),
], ids=["found, though annotated as absent", "not found"])
def test_an_organ_in_one_of_both_only_is_missed(build, selection, tmp_path, change, organ):
    case = build.case("a", change=lambda labels: change(labels).astype(np.uint8))
    scores, _ = measure(selection(case), tmp_path, "cpu", report=quiet)
    missed = by_name(scores)[organ]
    assert missed.missed and (missed.dice, missed.nsd_2mm) == (0, 0)


def test_nothing_is_measured_twice(build, selection, tmp_path, network_runs):
    first = selection(build.case("a"), build.case("b"))
    before, _ = measure(first, tmp_path, "cpu", report=quiet)
    lines = []
    more = selection(*first.cases, build.case("c"))
    after, _ = measure(more, tmp_path, "cpu", report=lines.append)
    assert network_runs == ["a.nii.gz", "b.nii.gz", "c.nii.gz"]
    assert [s.to_json() for s in after[:6]] == [s.to_json() for s in before]
    assert "as measured before" in lines[0] and "as measured before" not in lines[2]


def touch(case, output):
    os.utime(case.labels, (1, 1))


def without_labels(case, output):
    labels_path(output, case.key).unlink()


def damage(case, output):
    record_path(output, case.key).write_text("{")


@pytest.mark.parametrize("change", [touch, without_labels, damage])
def test_what_has_changed_is_measured_again(build, selection, tmp_path, network_runs, change):
    case = build.case("a")
    measure(selection(case), tmp_path, "cpu", report=quiet)
    change(case, tmp_path)
    measure(selection(case), tmp_path, "cpu", report=quiet)
    assert len(network_runs) == 2


@pytest.mark.parametrize(("changes", "again"), [
    ({"sha256": "1" * 64}, True), ({"overlap": 0.5}, True), ({"made": Lopsided()}, False),
    ({"name": "renamed"}, False),
], ids=["other weights", "used otherwise", "same hash", "another name"])
def test_another_model_measures_again(build, selection, tmp_path, network_runs, changes, again):
    case = build.case("a")
    measure(selection(case), tmp_path, "cpu", report=quiet)
    measure(selection(case, **changes), tmp_path, "cpu", report=quiet)
    assert len(network_runs) == 1 + again


def test_another_precision_measures_again(build, selection, tmp_path, network_runs):
    chosen = selection(build.case("a"))
    for precision in ("float32", "float32", "bfloat16"):
        measure(chosen, tmp_path, "cpu", report=quiet, precision=precision)
    assert len(network_runs) == 2


def test_the_meaning_of_labels_counts_and_the_fold_does_not(
    build, selection, tmp_path, network_runs
):
    case = build.case("a")
    measure(selection(case), tmp_path, "cpu", report=quiet)
    measure(selection(replace(case, fold=TEST)), tmp_path, "cpu", report=quiet)
    assert len(network_runs) == 1
    exchanged = case.mapping | {LIVER: (SPLEEN,), SPLEEN: (LIVER,)}
    scores, _ = measure(selection(replace(case, mapping=exchanged)), tmp_path, "cpu", report=quiet)
    assert len(network_runs) == 2 and by_name(scores)["liver"].dice == 0


def test_a_case_that_fails_is_told_and_the_rest_goes_on(build, selection, tmp_path):
    broken, gone, unknown = build.case("a"), build.case("b"), build.case("c", (STOMACH,))
    broken.labels.write_bytes(b"no image")
    gone.image.unlink()
    lines = []
    scores, failed = measure(selection(broken, gone, unknown, build.case("d")), tmp_path, "cpu",
                             report=lines.append)
    assert {s.case for s in scores} == {"d"}
    assert list(failed) == ["balls/a", "balls/b", "balls/c"]
    assert str(gone.image) in failed["balls/b"]
    assert "must know an organ that the case annotates: stomach" in failed["balls/c"]
    assert all("FAILED" in line for line in lines[:3])


class Damaged(HuBins):
    def eval(self):
        raise BundleError("the SHA-256 differs")


@pytest.mark.parametrize(("changes", "device", "error"), [
    ({"made": Damaged()}, "cpu", BundleError), ({}, "cuda:77", DeviceError),
], ids=["model", "device"])
def test_a_model_or_device_that_cannot_be_used_ends_it_before_a_ct_is_read(
    build, selection, tmp_path, monkeypatch, changes, device, error
):
    chosen, read = selection(build.case("a"), **changes), []
    monkeypatch.setattr(io, "read_image", read.append)
    with pytest.raises(error):
        measure(chosen, tmp_path, device, report=quiet)
    assert not read


def test_a_ct_that_memory_is_too_small_for_fails_alone(build, selection, tmp_path, monkeypatch):
    segment = Segmenter.segment

    def limited(self, image, *args, **kwargs):
        if image.source.name == "a.nii.gz":
            raise DeviceError("memory ran out")
        return segment(self, image, *args, **kwargs)

    monkeypatch.setattr(Segmenter, "segment", limited)
    scores, failed = measure(selection(build.case("a"), build.case("b")), tmp_path, "cpu",
                             report=quiet)
    assert failed == {"balls/a": "memory ran out"} and {s.case for s in scores} == {"b"}


def test_a_reference_on_another_grid_fails_with_both_grids(build, selection, tmp_path):
    case = build.case("a")
    labels = io.read_labels(case.labels)
    grid = replace(labels.grid, origin=(0.0, 0.0, 500.0))
    io.write_image(case.labels, replace(labels, grid=grid))
    _, failed = measure(selection(case), tmp_path, "cpu", report=quiet)
    assert "must lie on one grid" in failed["balls/a"]


def test_where_nothing_can_be_written_the_first_case_ends_it(build, selection, tmp_path):
    (tmp_path / "labels").write_text("in the way")
    with pytest.raises(OutputError):
        measure(selection(build.case("a"), build.case("b")), tmp_path, "cpu", report=quiet)
    assert not record_path(tmp_path, "balls/a").exists()


def test_the_labels_are_kept_as_the_engine_gave_them(build, selection, tmp_path):
    case = build.case("a")
    chosen = selection(case)
    measure(chosen, tmp_path, "cpu", report=quiet)
    expected = Segmenter(chosen.bundle, "cpu").segment(io.read_image(case.image)).labels
    np.testing.assert_array_equal(io.read_labels(labels_path(tmp_path, case.key)).array,
                                  expected.array)


def test_a_ceiling_is_added_later_without_the_network(build, selection, tmp_path, network_runs):
    case = build.case("a")
    before, _ = measure(selection(case), tmp_path, "cpu", report=quiet)
    after, _ = measure(selection(case), tmp_path, "cpu", ceiling=True, report=quiet)
    assert len(network_runs) == 1
    assert np.isnan(before[0].ceiling) and 0.9 < by_name(after)["liver"].ceiling < 1
    assert np.isnan(by_name(after)["right kidney"].ceiling)
