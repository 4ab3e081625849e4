"""Two evaluations: only of the same cases and references, and no more said than n allows."""

import json
from dataclasses import replace
from math import isnan

import pytest

from metaunetr.errors import InputError
from metaunetr.evaluation import write_csv
from metaunetr_training.evaluation.cases import CaseScores, record_path
from metaunetr_training.evaluation.compare import Evaluation, compare, write
from metaunetr_training.evaluation.scores import Score


@pytest.fixture
def store(tmp_path, scores):
    """Writes what `evaluate` would have left of some scores."""
    def make(name, references="same", **organs) -> Evaluation:
        made, folder = scores(**organs), tmp_path / name
        for key in {score.key for score in made}:
            record_path(folder, key).parent.mkdir(parents=True, exist_ok=True)
            mine = tuple(score for score in made if score.key == key)
            CaseScores({}, f"{references} {key}", mine).write(record_path(folder, key))
        write_csv(folder / "results.csv", made)
        (folder / "summary.json").write_text(json.dumps({"model": name}))
        return Evaluation.read(folder)
    return make


BASE = (0.70, 0.72, 0.75, 0.80, 0.81, 0.83, 0.86, 0.87)
BETTER = tuple(dice + 0.01 * n for n, dice in enumerate(BASE, start=1))


def test_differences_are_tested_and_corrected(store):
    a = store("a", liver=BASE, spleen=BASE)
    b = store("b", liver=BETTER, spleen=BASE)
    lines, notes = compare(a, b)
    found = {line.name: line for line in lines}
    liver, mean = found["liver"], found["mean of organs"]
    assert liver.test.n == 8 and liver.test.mean == pytest.approx(0.045)
    assert liver.test.interval[0] > 0 and liver.test.effect == 1
    assert liver.test.p == pytest.approx(2 / 2**8) == liver.p_holm  # the spleen is not tested
    assert isnan(found["spleen"].test.p)
    assert any("fewer than 6 pairs differ" in note and "spleen" in note for note in notes)
    assert mean.test.mean == pytest.approx(0.0225) and mean.test.p == pytest.approx(2 / 2**8)


def test_the_other_way_round_all_signs_change(store):
    a, b = store("a", liver=BASE), store("b", liver=BETTER)
    forth, back = (compare(*pair)[0][0] for pair in ((a, b), (b, a)))
    assert back.test.mean == pytest.approx(-forth.test.mean)
    assert (back.test.effect, back.test.p) == (-forth.test.effect, forth.test.p)


def test_where_no_p_could_be_small_it_is_said(store):
    few = dict.fromkeys(("liver", "spleen", "aorta"), BASE[:6])
    better = dict.fromkeys(few, BETTER[:6])
    _, notes = compare(store("a", **few), store("b", **better))
    assert any("p is at least 0.031; corrected for 3 organs it cannot fall below 0.05" in note
               for note in notes)
    _, notes = compare(store("c", liver=BASE[:3]), store("d", liver=BETTER[:3]))
    assert any("none could reach p < 0.05: liver, mean of organs" in note for note in notes)


def test_organs_of_one_only_are_left_out_and_told(store):
    lines, notes = compare(store("a", liver=BASE), store("b", liver=BASE, aorta=BASE))
    assert [line.name for line in lines] == ["liver", "mean of organs"]
    assert any("left out: aorta" in note for note in notes)


def test_an_absent_organ_that_one_has_found_is_told(store):
    lines, notes = compare(store("a", liver=(None, 0.8, 0.9)), store("b", liver=(0.0, 0.8, 0.9)))
    assert lines[0].test.n == 2 and lines[0].unpaired == 1
    assert any("only one of the two found it: liver (1)" in note for note in notes)


def test_other_cases_references_or_organs_are_refused(store):
    a = store("a", liver=BASE)
    for other, words in [
        (store("fewer", liver=BASE[:6]), r"the same cases: balls/06, balls/07 only in .*a$"),
        (store("redrawn", references="new", liver=BASE), r"same references: .*and 3 more differ"),
        (store("else", aorta=BASE), "have scored no organ in common"),
    ]:
        with pytest.raises(InputError, match=words):
            compare(a, other)


def test_a_case_that_failed_in_the_other_is_told_as_such(store):
    a, b = store("a", liver=BASE), store("b", liver=BASE[:7])
    failed = [Score("07", "", note="failed: gone", dataset="balls")]
    write_csv(b.folder / "results.csv", [*b.scores, *failed])
    with pytest.raises(InputError, match=r"balls/07 only in .* \(failed in the other\)"):
        compare(a, Evaluation.read(b.folder))


def test_what_does_not_belong_together_is_refused(store, tmp_path):
    folder = store("a", liver=BASE).folder
    rows = list(Evaluation.read(folder).scores)
    write_csv(folder / "results.csv", [replace(rows[0], dice=0.1), *rows[1:]])
    with pytest.raises(InputError, match=r"00\.json: is not what .*results\.csv was made of"):
        Evaluation.read(folder)
    with pytest.raises(InputError, match="no evaluation can be read there"):
        Evaluation.read(tmp_path / "nowhere")
    (folder / "summary.json").unlink()
    write_csv(folder / "results.csv", rows)
    with pytest.raises(InputError, match=r"summary\.json: cannot be read"):
        Evaluation.read(folder)


def test_a_run_stands_for_its_evaluation(store, tmp_path):
    made = store("run/evaluation", liver=BASE)
    assert Evaluation.read(tmp_path / "run").folder == made.folder


def test_the_files(store, tmp_path):
    output = tmp_path / "out" / "comparison"
    text = write(output, store("a", liver=BASE, spleen=BASE),
                 store("b", liver=BETTER, spleen=BASE))
    assert {path.name for path in output.iterdir()} == {
        "differences.csv", "comparison.json", "table.md", "table.tex", "differences.png"}
    assert "| liver | 8 | 0.792 | 0.838 | +0.045 (+0.029 to +0.060) | 0.008 | 0.008 | 1.00 |" \
        in text
    values = json.loads((output / "comparison.json").read_text())
    assert values["organs"]["spleen"]["p"] is None and values["organs"]["liver"]["n"] == 8
    head, first, *_ = (output / "differences.csv").read_text().splitlines()
    assert head.startswith("dataset,case,organ,dice_a,dice_b")
    assert first == "balls,00,liver,0.7000,0.7100,0.3500,0.3550,4.0000,4.0000"
