"""From corrected CTs to a model that is better, or to none; killed at any moment."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_erosion

from metaunetr import bundle, io
from metaunetr.cli import main
from metaunetr.engine import Segmenter
from metaunetr.errors import InputError, OutputError
from metaunetr.io import atomic
from metaunetr_training.adapt import cases, run, settings
from metaunetr_training.adapt.gain import Gain, Line
from metaunetr_training.adapt.remember import remember
from metaunetr_training.adapt.run import Request, adapt, state_folder
from metaunetr_training.cli import parser
from metaunetr_training.data.prepared import Prepared
from tiny_bundle import small_ct
from tiny_corrections import tiny_model, write_case

TRAINING = Path(__file__).parents[3] / "Training"


@pytest.fixture(scope="module")
def corrected(tmp_path_factory):
    """Three CTs, in which the liver, liver and spleen, and the spleen have been corrected."""
    folder = tmp_path_factory.mktemp("Smith, John")
    for seed, organs in enumerate(((6,), (6, 1), (1,))):
        write_case(folder, f"ct{seed}", seed, organs)
    return folder


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("start") / "tiny")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Two steps a training, on one thread, as in the process of `whole`."""
    monkeypatch.setattr(settings, "TRAINING", replace(settings.TRAINING, iterations=2))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def request_of(corrected, start, tmp_path):
    found = cases.find([corrected], (), [6, 1, 3], lambda text: None)
    return lambda **changes: Request(**{
        "cases": found, "start": start, "output": tmp_path / "models" / "mine", "minutes": 5000,
        "device": "cpu", **changes})


@pytest.fixture
def without_trial(monkeypatch):
    """The model is not tried in a new process."""
    monkeypatch.setattr("metaunetr_training.export.bundle.verify", lambda folder, ct: None)


@pytest.fixture(scope="module")
def whole(corrected, start, tmp_path_factory):
    """The process of the command where packages are missing that 3D Slicer lacks; its models.

    The trial of the model, which is a segmentation in a process of its own, is left out.
    """
    models = tmp_path_factory.mktemp("models")
    code = """
import sys
for name in ("yaml", "monai", "matplotlib", "tensorboard", "tqdm", "pandas", "skimage"):
    sys.modules[name] = None
from dataclasses import replace
from metaunetr_training.adapt import settings
settings.TRAINING = replace(settings.TRAINING, iterations=2)
import metaunetr_training.export.bundle
metaunetr_training.export.bundle.verify = lambda folder, ct: None
from metaunetr.cli import main
from metaunetr_training.cli import parser
sys.exit(main(["adapt", *sys.argv[1:]], parser))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(corrected), "--from", str(start.folder), "-o", "mine",
         "--max-minutes", "5000", "--device", "cpu", "--json-progress", "--keep-anyway"],
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(TRAINING), "METAUNETR_MODELS": str(models),
                          "OMP_NUM_THREADS": "1"})
    return done, models


@pytest.mark.slow
def test_the_command_needs_no_package_that_slicer_lacks_and_reports_to_programs(whole):
    done, models = whole
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    found, estimate, result = events[0], events[1], events[-1]
    assert found["organs"] == {"spleen": 2, "liver": 2}
    assert [case["organs"] for case in found["cases"]] == [["liver"], ["spleen", "liver"],
                                                          ["spleen"]]
    assert estimate["seconds"] == 300_000 and estimate["trainings"] == 4
    assert [event["stage"] for event in events if event["event"] == "stage"] == [
        "prepare", "before", *["train", "after"] * 3, "final", "write"]
    left = [event["remaining_s"] for event in events if event["event"] == "progress"]
    assert left == sorted(left, reverse=True) and 0 < left[-1] < 300_000
    assert result["written"] and result["organs"].keys() == {"spleen", "liver"}
    assert not state_folder(models / "mine").exists()


def test_the_card_says_what_the_model_was_adapted_to_and_names_nobody(whole):
    model = bundle.load(whole[1] / "mine")
    adapted, text = model.card["adapted"], json.dumps(model.card)
    assert (adapted["from"], adapted["cases"]) == ("tiny", 3)
    assert {name: line["n"] for name, line in adapted["organs"].items()} == {
        "spleen": 2, "liver": 2}
    assert adapted["calibration"].startswith("No calibration") and model.calibration is None
    assert "corrected CTs, held out in turn (n=3)" in model.dice
    assert Segmenter(model, "cpu").segment(small_ct()).record["model"] == "mine"
    assert "Smith" not in text and "ct0" not in text and "/" + "tmp" not in text


@pytest.mark.slow
def test_only_a_better_model_is_written_unless_another_is_wanted(
        request_of, without_trial, monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "TRAINING", replace(
        settings.TRAINING, iterations=1, learning_rate=0.0))
    said, output = [], request_of().output
    assert not adapt(request_of(), said.append)
    assert not said[-1]["written"] and "mean Dice did not rise" in said[-1]["reason"]
    assert not output.exists()
    kept = shutil.copytree(state_folder(output), tmp_path / "kept")
    assert adapt(request_of(keep_anyway=True), said.append)
    card = bundle.load(output).card
    assert "Kept although it is not better: mean Dice" in card["intended_use"]

    output.rename(output.with_name("other"))
    shutil.copytree(kept, state_folder(output))
    gain = Gain((Line("liver", 3, 0.5, 0.6, 0.5, 0.6),), Line("mean", 3, 0.5, 0.6, 0.5, 0.6), "")
    monkeypatch.setattr(run.Gain, "of", lambda before, after: gain)
    assert adapt(request_of(), said.append)
    card = bundle.load(output).card
    assert card["adapted"]["mean"]["dice"] == [0.5, 0.6]
    assert "not better" not in card["intended_use"]


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_to_the_same_model(request_of, whole, without_trial):
    """The steps end the schedule, not the time, so that the weights are the same."""
    request = request_of(keep_anyway=True)

    def killed(stage: str) -> None:
        times = []

        def kill(event):
            times.append(event["event"] == "progress" and event["stage"] == stage)
            if sum(times) > (stage != "write"):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            adapt(request, kill)

    for stage in ("prepare", "before", "train", "after", "write"):
        killed(stage)
    folder = state_folder(request.output)
    state = (folder / "state.json").read_text()
    assert adapt(request, lambda event: None)
    model, expected = bundle.load(request.output), bundle.load(whole[1] / "mine")
    assert model.sha256 == expected.sha256
    assert model.card["adapted"]["organs"] == expected.card["adapted"]["organs"]

    folder.mkdir()  # as if killed after the model was written
    (folder / "state.json").write_text(state)
    assert adapt(request, lambda event: None)
    assert not folder.exists()


def test_on_the_command_line_a_model_that_is_not_better_and_one_that_exists(
        request_of, monkeypatch, capsys):
    monkeypatch.setattr(cases, "find", lambda *given: [])
    monkeypatch.setattr(run, "adapt", lambda request, report, dry_run: False)
    arguments = ["adapt", "corrected", "--from", str(request_of().start.folder), "-o", "mine"]
    assert main(arguments, parser) == 9
    assert main([*arguments, "--dry-run"], parser) == 0
    assert main([*arguments[:-1], "abdomen13-2mm"], parser) == 5
    assert "abdomen13-2mm: is the name of the model in" in capsys.readouterr().err
    request_of().output.mkdir(parents=True)
    with pytest.raises(OutputError, match="mine: exists; remove it"):
        adapt(request_of(), lambda event: None)


def test_it_begins_again_with_other_cases_and_leaves_foreign_folders_alone(
        request_of, corrected, tmp_path):
    """Another time begins again only when it has been divided among the trainings."""
    said = []

    def until(stage, **changes):
        def stop(event):
            said.extend(event["text"][:9] for _ in range(event["event"] == "warning"))
            if event.get("stage") == stage:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            adapt(request_of(**changes), stop)

    until("before")
    until("train", minutes=4000)
    assert said == []
    until("train", minutes=3000)
    assert said == ["The cases"]
    shutil.copy(corrected / "ct0.nii.gz", tmp_path / "ct3.nii.gz")
    shutil.copy(corrected / "ct0.seg.nrrd", tmp_path / "ct3.seg.nrrd")
    until("prepare", minutes=3000, cases=cases.find([corrected, tmp_path], (), [6, 1], print))
    assert said == ["The cases"] * 2
    other = request_of(output=tmp_path / "other")
    state_folder(other.output).mkdir()
    (state_folder(other.output) / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"other.adapting: exists and is no state"):
        adapt(other, lambda event: None)


@pytest.mark.parametrize(("changes", "free", "error", "message"), [
    ({"minutes": 0.005}, 1e12, InputError, r"0.005 minutes are too few: to prepare 3 cases and "
     "measure them twice takes .* give --max-minutes 5 or more, it goes on from here"),
    ({}, 1000, OutputError, "adapting takes at most .* MB, only 0 MB are free"),
])
def test_time_and_disk_are_checked(request_of, monkeypatch, changes, free, error, message):
    monkeypatch.setattr("metaunetr_training.data.resources.free_disk", lambda folder: free)
    with pytest.raises(error, match=message):
        adapt(request_of(**changes), lambda event: None)


def test_a_disk_that_fills_up_is_one_sentence_and_what_is_done_is_kept(request_of, monkeypatch):
    flush, stages = atomic._flush, ["train", "before", "prepare"]
    seen = []

    def full(path):
        if stages[-1] in seen:
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(path)

    monkeypatch.setattr(atomic, "_flush", full)
    while stages:
        with pytest.raises(OutputError, match=r"^[^\n]*: cannot be written: the disk is full$"):
            adapt(request_of(), lambda event: seen.append(event.get("stage")))
        stages.pop()
        seen.clear()
    state = state_folder(request_of().output)
    assert len(list(state.glob("before/cases/*/*.json"))) == 3


def test_too_few_minutes_are_noticed_before_all_cases_were_measured(request_of):
    with pytest.raises(InputError, match="are too few"):
        adapt(request_of(minutes=0.05), lambda event: None)
    assert len(list(state_folder(request_of().output).glob("before/cases/*/*.json"))) == 2


def test_two_cases_are_too_few_but_are_shown(request_of):
    said = []
    with pytest.raises(InputError, match=r"at least 3 corrected CTs .* there are 2"):
        adapt(request_of(cases=request_of().cases[:2]), said.append)
    assert [len(event["cases"]) for event in said] == [2]


def test_the_same_ct_three_times_cannot_be_held_out(request_of, corrected, tmp_path):
    for number in range(3):
        for suffix in ("nii.gz", "seg.nrrd"):
            shutil.copy(corrected / f"ct0.{suffix}", tmp_path / f"{number}.{suffix}")
    found = cases.find([tmp_path], (), [6], lambda text: None)
    with pytest.raises(InputError, match="3 different CTs are needed, these are 1"):
        adapt(request_of(cases=found), lambda event: None)


def test_a_ct_and_its_remembered_copy_are_held_out_together(
        request_of, corrected, start, tmp_path):
    one, copy = tmp_path / "fat" / "ct3.nii.gz", tmp_path / "copies" / "1" / "ct.nii.gz"
    write_case(one.parent, "ct3", 3, (6,))
    image = io.read_image(one)
    body = image.array > -500
    rim = body & ~binary_erosion(body, iterations=2)
    io.write_image(one, replace(image, array=np.where(rim, np.int16(-100), image.array)))
    found = cases.find([corrected, one.parent], (), [6, 1], print)
    remember(found[-1], copy.parent, start.preprocessing)
    found += cases.find([copy.parent], (), [6, 1], print)
    said = []

    def stop(event):
        said.extend(event["text"] for _ in range(event["event"] == "warning"))
        if event.get("stage") == "before":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adapt(request_of(cases=found), stop)
    prepared = Prepared.read(state_folder(request_of().output) / "prepared")
    folds = {case.source.image: prepared.folds[case.key] for case in prepared.cases}
    assert len(folds) == 5 and folds[one] == folds[copy] and len(set(folds.values())) == 4
    assert len(said) == 1 and said[0].endswith("are one CT; they are held out together.")
    assert str(one) in said[0] and str(copy) in said[0]


@pytest.mark.parametrize(("count", "folds"), [(3, 3), (6, 6), (7, 3)])
def test_each_case_is_held_out_up_to_six(count, folds):
    assert run._folds(count) == folds
