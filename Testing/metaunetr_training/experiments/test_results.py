"""The CSV files of `experiment mixers`."""

from math import inf, nan

from metaunetr_training.evaluation.scores import Score
from metaunetr_training.experiments.results import rows_of


def test_all_networks_have_the_same_lines_whatever_they_find():
    def scores(found_ml):
        return [Score("a", "liver", 0.9, 0.8, 2.0, 1500, 1400, dataset="x"),
                Score("a", "spleen", 0.0, 0.0, inf, 0, 200, "not in the result", dataset="x"),
                Score("a", "gallbladder", 0.0 if found_ml else nan, 0.0 if found_ml else nan,
                      inf if found_ml else nan, found_ml, 0, dataset="x")]

    assert rows_of(scores(0)) == rows_of(scores(3))
    assert [row["organ"] for row in rows_of(scores(3))] == ["liver", "spleen"]
