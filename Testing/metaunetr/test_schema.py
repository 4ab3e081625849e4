"""Values are read by their annotations, and refused by name; files have limits."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from metaunetr.schema import Between, Check, Length, Reader, read_json, to_json

Share = Annotated[float, Between(0, 1)]


@dataclass(frozen=True)
class Part:
    size: tuple[int, int]
    shares: Annotated[tuple[Share, ...], Length(1, 2)] = (1.0,)


@dataclass(frozen=True)
class Whole:
    name: Annotated[str, Check(str.isprintable, "be printable")]
    part: Part
    by_number: dict[int, tuple[Share, ...]]
    place: Path
    fold: int | str | None = None
    kind: Literal["a", "b"] = "a"


VALUES = {"name": "x", "part": {"size": [1, 2], "shares": [0, 0.5]}, "by_number": {"7": [1]},
          "place": "a/b", "fold": "test", "kind": "b", "unknown": 3}
WHOLE = Whole("x", Part((1, 2), (0.0, 0.5)), {7: (1.0,)}, Path("a/b"), "test", "b")


def test_what_is_written_is_read_again():
    assert Reader("it").read(Whole, VALUES) == WHOLE
    assert Reader("it").read(Whole, to_json(WHOLE)) == WHOLE
    assert to_json({"a": (nan, inf, 1.0)}) == {"a": [None, None, 1.0]}


@pytest.mark.parametrize(("kind", "value", "message"), [
    (Whole, 3, "it must be an object: 3"),
    (Whole, VALUES | {"part": {}}, "part lacks 'size'"),
    (Whole, {}, "it lacks 'name'"),
    (Whole, VALUES | {"part": {"size": [1, True]}}, r"part.size must be a whole number: True"),
    (Whole, VALUES | {"part": {"size": [1]}}, r"part.size must be 2 whole numbers: \[1\]"),
    (Whole, VALUES | {"part": {"size": [1, 2], "shares": [0, 1, 1]}},
     r"part.shares must be 1 to 2 numbers from 0 to 1: \[0, 1, 1\]"),
    (Whole, VALUES | {"by_number": {"7": [nan]}}, "by_number must be a number from 0 to 1: nan"),
    (Whole, VALUES | {"by_number": {"seven": []}}, "seven"),
    (Whole, VALUES | {"name": "\n"}, r"name must be printable: '\\n'"),
    (Whole, VALUES | {"name": 3}, "name must be a text: 3"),
    (Whole, VALUES | {"fold": 1.5}, "fold must be a text: 1.5"),
    (Whole, VALUES | {"kind": ["a"]}, "kind must be a or b"),
    (Share, "0.5", "must be a number from 0 to 1: '0.5'"),
    (Share, 10**400, "must be a number from 0 to 1"),
])
def test_what_is_refused(kind: Any, value: Any, message: str):
    with pytest.raises(ValueError, match=message):
        Reader("it").read(kind, value)


@pytest.mark.parametrize(("content", "message"), [
    (b"[" * 1000 + b"1" + b" " * 25, "at most 1024 bytes"), (b"{", "Expecting"), (b"\xff", "utf-8"),
])
def test_files_that_are_no_json(tmp_path, content, message):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_json(tmp_path / "a.json", 1024)


def test_a_file_that_is_nested_too_deeply(tmp_path):
    (tmp_path / "a.json").write_bytes(b"[" * 100_000)
    with pytest.raises(ValueError, match="recursion"):
        read_json(tmp_path / "a.json")
