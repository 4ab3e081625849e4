"""The split: fixed, balanced, and never through a patient."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from metaunetr.errors import InputError
from metaunetr_training.data.case import TEST, Case
from metaunetr_training.data.folds import assign_folds, hold_out


def make(dataset: str, ids, fold=None) -> list[Case]:
    return [Case(dataset, f"{id:04d}", Path(f"/{dataset}/{id}"), Path(f"/{dataset}/l{id}"),
                 {1: (1,)}, fold) for id in ids]


BTCV = make("btcv", [*range(1, 11), *range(21, 35)]) + make("btcv", range(35, 41), fold=0)
AMOS = make("amos", range(1, 201)) + make("amos", range(201, 301), fold=TEST)
SMALL = make("small", range(7))


def sizes(folds: dict, dataset: str) -> list[int]:
    counts = Counter(fold for key, fold in folds.items() if key.startswith(dataset + "/"))
    return [counts[fold] for fold in range(5)]


def test_every_data_set_is_spread_evenly():
    folds = assign_folds(BTCV + AMOS + SMALL)
    assert sizes(folds, "btcv") == [6] * 5
    assert sizes(folds, "amos") == [40] * 5
    assert sorted(sizes(folds, "small")) == [1, 1, 1, 2, 2]
    assert list(folds) == [case.key for case in BTCV + AMOS + SMALL]


def test_common_splits_are_kept():
    folds = assign_folds(BTCV + AMOS)
    assert {key for key, fold in folds.items() if fold == 0 and key < "btcv/0041" and "btcv" in key
            } == {f"btcv/{n:04d}" for n in range(35, 41)}
    assert {key for key, fold in folds.items() if fold == TEST
            } == {f"amos/{n:04d}" for n in range(201, 301)}


def test_the_split_is_the_same_on_every_machine_and_in_every_order():
    shuffled = random.Random(1).sample(BTCV + AMOS, len(BTCV + AMOS))
    folds = assign_folds(BTCV + AMOS)
    assert assign_folds(shuffled) == folds
    assert "".join(str(folds[case.key]) for case in BTCV) == "111231433443412234231242000000"


def test_data_sets_do_not_change_each_other_s_balance():
    assert sizes(assign_folds(SMALL + BTCV + make("other", range(3))), "btcv") == [6] * 5


def test_earlier_folds_are_kept_when_cases_come_and_go():
    before = assign_folds(BTCV[:20] + SMALL)
    after = assign_folds(SMALL[2:] + BTCV + AMOS, before)
    kept = before.keys() & after.keys()
    assert len(kept) == 25
    assert {key: after[key] for key in kept} == {key: before[key] for key in kept}
    assert assign_folds(SMALL[2:] + BTCV + AMOS, after) == after


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_never_split_and_folds_stay_even(seed):
    draw = random.Random(seed)
    cases = make("a", range(60)) + make("b", range(40)) + BTCV
    groups = {case.key: f"patient {draw.randrange(40)}" for case in cases if draw.random() < 0.5}
    folds = assign_folds(cases, groups=groups)
    by_group = {}
    for key, group in groups.items():
        by_group.setdefault(group, set()).add(folds[key])
    assert all(len(found) == 1 for found in by_group.values())
    assert max(sizes(folds, "a")) - min(sizes(folds, "a")) <= 6
    again = assign_folds(cases + make("c", range(9)), folds, groups=groups)
    assert {case.key: again[case.key] for case in cases} == folds


@pytest.mark.parametrize("size", range(2, 8))
def test_a_large_group_is_made_up_for_by_the_others(size):
    cases = make("a", range(14))
    folds = assign_folds(cases, folds=2, groups={case.key: "one" for case in cases[-size:]})
    assert sizes(folds, "a")[:2] == [7, 7]


def test_a_group_is_no_case_of_the_same_name():
    one, two, three = make("a", range(3))
    groups = {one.key: three.key, two.key: three.key}
    folds = assign_folds([one, two, three], groups=groups, folds=2)
    assert folds[one.key] == folds[two.key] != folds[three.key]


@pytest.mark.parametrize(("own", "previous", "expected"), [
    ((None, None), {}, 0),
    ((None, 3), {}, 3),
    ((2, 1), {}, 1),
    ((TEST, 0), {}, TEST),
    ((TEST, None), {"a/0000": 2}, TEST),
    ((None, None), {"a/0001": TEST}, TEST),
    ((0, None), {"a/0001": 4}, 4),
    ((None, None), {"a/0000": 3, "a/0001": 2}, 2),
])
def test_what_a_group_is_told_in_several_ways(own, previous, expected):
    cases = [case for id, fold in enumerate(own) for case in make("a", [id], fold)]
    folds = assign_folds(cases, previous, groups={case.key: "twins" for case in cases})
    assert set(folds.values()) == {expected}


@pytest.mark.parametrize(("cases", "previous", "folds", "message"), [
    (SMALL, {}, 1, "at least two folds: 1"),
    (SMALL, {"small/0003": 4}, 3, "small/0003: is in fold 4 already, so there must be at least 5"),
    (make("a", [1], fold=2), {}, 2, "a/0001: is in fold 2 already"),
    (make("a", [1]) * 2, {}, 5, "called a/0001 too"),
])
def test_what_cannot_be_split_is_refused(cases, previous, folds, message):
    with pytest.raises(InputError, match=message):
        assign_folds(cases, previous, folds)


def test_a_split_of_one_s_own():
    cases = hold_out(SMALL + AMOS, ["small/0002", "amos/0007"], {})
    folds = assign_folds(cases, folds=2)
    assert {key for key, fold in folds.items() if fold == 0} == {"small/0002", "amos/0007"}
    assert Counter(folds.values()) == {0: 2, 1: 205, TEST: 100}
    assert assign_folds(hold_out(cases, ["small/0002", "amos/0007"], folds), folds, 2) == folds


@pytest.mark.parametrize(("keys", "words"), [
    (["small/0009"], "small/0009: there is no such case to hold out"),
    (["small/0003"], "small/0002: is in fold 0 already, not in fold 1"),
])
def test_a_split_that_cannot_be_is_refused(keys, words):
    with pytest.raises(InputError, match=words):
        hold_out(SMALL, keys, {"small/0002": 0})
