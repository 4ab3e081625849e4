"""A damaged file is read as something sound, or refused by name: nothing else ever happens.

Each damaged file is read in a process of its own kind, so that a crash, a hang or unbounded memory
is seen as well; the processes go on to the next file and are replaced when they die.
"""

from __future__ import annotations

import random
import shutil

import pytest

import mutation

FEW = 25  # damaged files of each kind
CPU = 650.0  # seconds of the long form, over all kinds
KINDS = [make.__name__ for make in mutation.SEEDS]


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    return mutation.seeds(tmp_path_factory.mktemp("seeds"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_whole_is_read(reader, seeds, kind):
    assert reader(kind, seeds[kind]) is None


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_damaged_is_read_or_refused(reader, seeds, tmp_path, long, kind):
    folder = tmp_path / "case"
    shutil.copytree(seeds[kind].parent, folder)
    path, whole = folder / seeds[kind].name, seeds[kind].read_bytes()
    begun, tried, wrong = reader.cpu, 0, []
    while tried < FEW or (long and reader.cpu - begun < CPU / len(KINDS)):
        path.write_bytes(mutation.damaged(whole, random.Random(f"{kind} {tried}")))
        if found := reader(kind, path):
            kept = shutil.copy(path, tmp_path / f"{tried}{''.join(path.suffixes)}")
            wrong.append(f"{kept}: {found}")
        tried += 1
        if len(wrong) == 50:
            break
    print(f"{kind}: {tried} damaged files, {len(wrong)} wrong, {reader.cpu - begun:.0f} s of CPU")
    assert not wrong, "\n".join(wrong)
