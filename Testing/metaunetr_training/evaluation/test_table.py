from dataclasses import replace

import pytest

from metaunetr_training.evaluation.table import (
    caption,
    escape,
    latex,
    markdown,
    summarize,
)


def test_markdown_says_how_many_cases_stand_behind_a_figure(scores):
    lines = summarize(scores(spleen=(0.9, 0.0), liver=(0.95, 0.95, 0.95, None)))
    assert markdown(lines, "tiny: 4 cases", ["A note."]).splitlines() == [
        "**tiny: 4 cases**",
        "",
        "| organ | n | missed | Dice | NSD 2 mm | HD95 mm |",
        "| --- | --: | --: | --: | --: | --: |",
        "| spleen | 2 | 1 | 0.450 | 0.225 | 4.0 |",
        "| liver | 3 | 0 | 0.950 (0.950–0.950) | 0.475 (0.475–0.475) | 4.0 (4.0–4.0) |",
        "| mean of organs | 3 | 1 | 0.700 (0.475–0.925) | 0.350 (0.237–0.462) | 4.0 (4.0–4.0) |",
        "",
        "A note.",
    ]


def test_a_line_as_json(scores):
    liver, mean = summarize(scores(liver=(0.9, 0.8)))
    assert liver.to_json() == {
        "n": 2, "missed": 0, "dice": 0.85, "dice_ci95": None, "nsd_2mm": 0.425,
        "nsd_2mm_ci95": None, "hd95_mm": 4.0, "hd95_mm_ci95": None,
    }
    assert mean.to_json()["dice"] == 0.85


def test_an_organ_found_nowhere_has_no_distance(scores):
    [spleen, _] = summarize(scores(spleen=(0.0, 0.0, 0.0)))
    assert spleen.to_json()["hd95_mm"] is None and spleen.missed == 3
    assert "–" in markdown([spleen], "", [])


def test_a_ceiling_has_a_column_where_it_was_asked_for(scores):
    made = [replace(score, ceiling=0.98) for score in scores(liver=(0.9, 0.8))]
    lines = summarize(made)
    assert lines[0].to_json()["ceiling"] == 0.98
    assert "| ceiling |" in markdown(lines, "", []) and "0.980 |" in markdown(lines, "", [])
    assert any("Ceiling" in note for note in caption(lines))
    assert not any("Ceiling" in note for note in caption(summarize(scores(liver=(0.9,)))))


def test_latex_is_a_whole_table(scores):
    lines = summarize(scores(liver=(0.9, 0.8, 0.7), spleen=(0.9, 0.8, 0.7)))
    text = latex(lines, "a_model: 3 cases", ["95 % of <them>."])
    assert r"\caption{a\_model: 3 cases. 95 \% of \textless{}them\textgreater{}.}" in text
    assert text.count(r"\begin{") == text.count(r"\end{") == 2
    assert text.count("{") == text.count("}")
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {row.count("&") for row in rows} == {5}
    assert [line.strip() for line in text.splitlines()].count(r"\midrule") == 2
    assert r"liver & 3 & 0 & 0.800 (0.700--0.900)" in text


@pytest.mark.parametrize(("text", "expected"), [
    ("50 % & more_or#less", r"50 \% \& more\_or\#less"),
    (r"C:\data{1}", r"C:\textbackslash{}data\{1\}"),
    ("3×3 ~ ^ $ – −", r"3$\times$3 \textasciitilde{} \textasciicircum{} \$ -- $-$"),
])
def test_what_latex_would_misread_is_escaped(text, expected):
    assert escape(text) == expected
