from dataclasses import astuple
from math import inf, nan

import pytest

from metaunetr.errors import InputError
from metaunetr.evaluation import write_csv
from metaunetr_training.evaluation.scores import Score, by_case, by_organ, read_csv

SCORES = [
    Score("01", "spleen", 0.9, 0.8, 3.25, 210.0, 200.0, dataset="amos", confidence=0.95,
          ceiling=0.97),
    Score("01", "liver", 0.0, 0.0, inf, 0.0, 1500.0, dataset="amos"),
    Score("02", "liver", nan, nan, nan, 0.0, 0.0, "in neither", dataset="btcv"),
    Score("03", "", note="failed: unreadable, damaged", dataset="btcv"),
]


def same(a: Score, b: Score) -> bool:
    return all(x == y or (x != x and y != y) for x, y in zip(astuple(a), astuple(b), strict=True))


def test_scores_come_back_from_json_and_from_the_csv(tmp_path):
    assert all(same(Score.from_json(score.to_json()), score) for score in SCORES)
    write_csv(tmp_path / "results.csv", SCORES)
    assert all(map(same, read_csv(tmp_path / "results.csv"), SCORES))


def test_json_has_neither_nan_nor_infinity():
    assert SCORES[1].to_json()["hd95_mm"] is None
    assert SCORES[2].to_json()["dice"] is None


def test_a_missed_organ_is_scored_and_an_absent_one_is_not():
    assert [(s.scored, s.missed) for s in SCORES] == [
        (True, False), (True, True), (False, False), (False, False)]
    assert {name: len(mine) for name, mine in by_organ(SCORES).items()} == {"spleen": 1, "liver": 1}
    assert list(by_case(SCORES)) == ["amos/01"]


@pytest.mark.parametrize(("text", "words"), [
    (None, "no evaluation can be read there"),
    ("case,organ\n01,liver\n", "is no table of an evaluation"),
    ("case,organ,dice\n01,liver,good\n", "is no table of an evaluation"),
])
def test_what_is_no_table_of_an_evaluation(tmp_path, text, words):
    path = tmp_path / "results.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_csv(path)
