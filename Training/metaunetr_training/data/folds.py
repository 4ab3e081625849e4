"""Cross-validation: the fold of each case.

The split is fixed: it depends on the keys of the cases, not on a seed or the order of files.
 1. Cases of one patient, or with identical voxels, form a group, which is never split. Any other
    case is a group by itself.
 2. If the data set holds one case of a group out for testing, the whole group is test set.
 3. If a case of the group has a fold already, the group gets it, so that no case on which a model
    was trained is held out later.
 4. If a case of the group has a fold in a common split (BTCV 0035 to 0040: fold 0), the group gets
    it.
 5. The remaining groups are assigned one after the other, the largest first, then in the order of
    the SHA-256 of their first key, to the fold with the fewest cases of their data sets, then the
    fewest cases, then the lowest number.
Where the cases of a group disagree within a rule, the lowest fold counts. With five folds, the 30
cases of BTCV are split 6 to 6; without groups, and unless rules 3 and 4 apply, folds differ by at
most one case of a data set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from metaunetr.errors import InputError
from metaunetr_training.data.case import TEST, Case

Fold = int | str  # a number, TEST or NO_FOLD
NO_FOLD = "none"  # of a run that trains on all folds


def assign_folds(
    cases: Sequence[Case], previous: Mapping[str, Fold] | None = None, folds: int = 5,
    groups: Mapping[str, str] | None = None,
) -> dict[str, Fold]:
    """The fold of every case by its key: 0 to `folds` - 1, or TEST.

    Args:
        previous: folds by key, of an earlier call; keys without a case are ignored.
        groups: id of the group by key, for cases that belong to one.

    Raises:
        InputError: there are fewer than two folds, two cases have the same key, or a fixed or
            previous fold is not below `folds`.
    """
    if folds < 2:
        raise InputError(f"there must be at least two folds: {folds}")
    members = _members(cases, groups or {})
    assigned = {name: _fixed(group, previous or {}, folds) for name, group in members.items()}
    used = Counter()  # cases by (fold, data set) and by fold
    for name, fold in assigned.items():  # None, not yet assigned, is counted but not used
        _count(used, fold, members[name])
    free = [name for name, fold in assigned.items() if fold is None]
    for name in sorted(free, key=lambda name: (-len(members[name]), _order(members[name]))):
        assigned[name] = _smallest_fold(used, {case.dataset for case in members[name]}, folds)
        _count(used, assigned[name], members[name])
    folds_of = {case.key: assigned[name] for name, group in members.items() for case in group}
    return {case.key: folds_of[case.key] for case in cases}


def hold_out(
    cases: Sequence[Case], keys: Sequence[str], previous: Mapping[str, Fold]
) -> list[Case]:
    """The cases, those with `keys` in fold 0 and all others in fold 1; the test set is kept.

    Args:
        previous: folds by key, of an earlier call.

    Raises:
        InputError: no case has one of the keys, or a case has another fold already.
    """
    known = {case.key for case in cases}
    if unknown := sorted(set(keys) - known):
        raise InputError(f"{unknown[0]}: there is no such case to hold out; the first of the "
                         f"{len(known)} cases is {min(known, default='')}")
    split = [case if case.fold == TEST else replace(case, fold=0 if case.key in keys else 1)
             for case in cases]
    for case in split:
        if previous.get(case.key, case.fold) != case.fold:
            raise InputError(f"{case.key}: is in fold {previous[case.key]} already, not in fold "
                             f"{case.fold}; choose another folder")
    return split


def _members(cases: Sequence[Case], groups: Mapping[str, str]) -> dict[tuple, list[Case]]:
    """The cases of each group, by a unique name of the group."""
    seen: dict[str, Case] = {}
    members: dict[tuple, list[Case]] = {}
    for case in cases:
        if case.key in seen:
            raise InputError(f"{case.image}: a case must have a name of its own, "
                             f"{seen[case.key].image} is called {case.key} too; give the data "
                             "sets different names")
        seen[case.key] = case
        grouped = case.key in groups
        members.setdefault((grouped, groups[case.key] if grouped else case.key), []).append(case)
    return members


def _fixed(group: Sequence[Case], previous: Mapping[str, Fold], folds: int) -> Fold | None:
    """The fold of a group by rules 2 to 4; None where none applies."""
    kept = [previous[case.key] for case in group if case.key in previous]
    common = [case.fold for case in group if case.fold is not None]
    if TEST in kept or TEST in common:
        return TEST
    for candidates in (kept, common):
        if candidates:
            fold = min(candidates)
            if not 0 <= fold < folds:
                raise InputError(f"{group[0].key}: is in fold {fold} already, so there must be at "
                                 f"least {fold + 1} folds, not {folds}")
            return fold
    return None


def _smallest_fold(used: Counter, datasets: set[str], folds: int) -> int:
    return min(range(folds), key=lambda fold: (
        sum(used[fold, dataset] for dataset in datasets), used[fold], fold))


def _count(used: Counter, fold: Fold | None, group: Sequence[Case]) -> None:
    for case in group:
        used[fold, case.dataset] += 1
        used[fold] += 1


def _order(group: Sequence[Case]) -> str:
    return sha256(min(case.key for case in group).encode()).hexdigest()
