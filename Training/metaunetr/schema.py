"""Dataclasses from JSON values, checked by their annotations, and back.

    @dataclass(frozen=True)
    class Inference:
        overlap: Annotated[float, Between(0, 0.9)]
        patch: tuple[int, int, int]

    Reader("the card").read(Inference, {"overlap": 0.5, "patch": [64, 80, 112]})

Files are untrusted input: no value is converted to another type (a text is no number, true is not
1), numbers must be finite, and size and depth of a file are limited.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from metaunetr.weights import read_file

MAX_BYTES = 1 << 20  # of a JSON file
NOUNS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false",
         list: "a list", dict: "an object", Path: "a text"}


@dataclass(frozen=True)
class Between:
    """A number from `low` to `high`."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high

    def words(self, noun: str) -> str:
        return f"{noun} from {self.low} to {self.high}"


@dataclass(frozen=True)
class Length:
    """A tuple of `low` to `high` items."""

    low: int
    high: int

    def holds(self, value: tuple) -> bool:
        return self.low <= len(value) <= self.high

    def words(self, noun: str) -> str:
        return f"{self.low} to {self.high} {noun}"


@dataclass(frozen=True)
class Check:
    """A value for which `holds` is true; `must` completes the sentence "hu_window must …"."""

    holds: Callable[[Any], Any]
    must: str

    def words(self, noun: str) -> str:
        return noun


class Reader:
    """Reads JSON values. Entries that are no field of a dataclass are ignored.

    Args:
        whole: what the values are, for messages, such as "the card".
    """

    def __init__(self, whole: str) -> None:
        self.whole = whole

    def read(self, kind: Any, value: Any, name: str = "") -> Any:
        """`value` as an object of the annotated type `kind`.

        Args:
            kind: str, int, float, bool, dict, list, Path, Any, a dataclass, or made of these by
                `tuple`, `dict` (with keys of str or int), `|`, `Literal` and `Annotated`.
            name: where the value stands, such as "preprocessing.hu_window"; "" for the whole.

        Raises:
            ValueError: a value is missing, of another type, or out of range; the message names it.
        """
        origin, arguments = get_origin(kind) or kind, get_args(kind)
        if is_dataclass(kind):
            return self.read_dataclass(kind, value, name)
        if origin is Annotated:
            return self._read_annotated(kind, value, name)
        if origin in (Union, types.UnionType):
            return self._read_union(arguments, value, name)
        if origin is tuple:
            return self._read_tuple(kind, value, name)
        if origin is dict and arguments:
            return {arguments[0](key): self.read(arguments[1], item, name)
                    for key, item in self.read(dict, value, name).items()}
        if kind is Any or (origin is Literal and value in arguments):
            return value
        try:
            return self.convert(kind, value)
        except (TypeError, ValueError, OverflowError):
            raise self.refusal(kind, value, name) from None

    def read_dataclass(self, kind: type, values: Any, name: str) -> Any:
        """A dataclass from the entries of an object."""
        self.read(dict, values, name or self.whole)
        found = {}
        for key, (hint, required) in entries(kind).items():
            if key in values:
                found[key] = self.read(hint, values[key], f"{name}.{key}" if name else key)
            elif required:
                raise ValueError(f"{name or self.whole} lacks {key!r}")
        return kind(**found)

    def convert(self, kind: Any, value: Any) -> Any:
        """`value` as a plain type.

        Raises:
            TypeError: it is of another type.
            ValueError: a number is not finite.
        """
        if type(value) not in {float: (int, float), Path: (str,)}.get(kind, (kind,)):
            raise TypeError
        if kind is float and not isfinite(value):
            raise ValueError
        return kind(value) if kind in (float, Path) else value

    def describe(self, kind: Any) -> str:
        """What a value must be, such as "a whole number from 1 to 4096"."""
        arguments = get_args(kind)
        if get_origin(kind) is Annotated:
            words = self.describe(arguments[0])
            for rule in arguments[1:]:
                words = rule.words(words)
            return words
        if get_origin(kind) is Literal:
            return " or ".join(arguments)
        if get_origin(kind) is tuple:
            item = self.describe(arguments[0]).removeprefix("a ").replace("number", "numbers", 1)
            return item if arguments[-1] is Ellipsis else f"{len(arguments)} {item}"
        return NOUNS.get(kind, str(kind))

    def refusal(self, kind: Any, value: Any, name: str) -> ValueError:
        return ValueError(f"{name} must be {self.describe(kind)}: {value!r}")

    def _read_annotated(self, kind: Any, value: Any, name: str) -> Any:
        base, *rules = get_args(kind)
        if get_origin(base) is tuple:
            self.read(list, value, name)
        try:
            found = self.read(base, value, name)
        except ValueError:
            if any(isinstance(rule, Check) for rule in rules):
                raise
            raise self.refusal(kind, value, name) from None
        for rule in rules:
            if not rule.holds(found):
                if isinstance(rule, Check):
                    raise ValueError(f"{name} must {rule.must}: {value!r}")
                raise self.refusal(kind, value, name)
        return found

    def _read_tuple(self, kind: Any, value: Any, name: str) -> tuple:
        kinds = get_args(kind)
        self.read(list, value, name)
        if kinds[-1] is Ellipsis:
            kinds = kinds[:1] * len(value)
        if len(value) != len(kinds):
            raise self.refusal(kind, value, name)
        return tuple(self.read(one, item, name) for one, item in zip(kinds, value, strict=True))

    def _read_union(self, kinds: tuple[Any, ...], value: Any, name: str) -> Any:
        if value is None and type(None) in kinds:
            return None
        *others, last = (kind for kind in kinds if kind is not type(None))
        for kind in others:
            try:
                return self.read(kind, value, name)
            except ValueError:
                continue
        return self.read(last, value, name)


def read_json(path: Path, most_bytes: int = MAX_BYTES) -> Any:
    """The values in a JSON file.

    Raises:
        OSError: it cannot be read, or is a pipe or device.
        ValueError: it has more than `most_bytes`, is no JSON, or is nested too deeply.
    """
    data = read_file(path, most_bytes)
    if len(data) > most_bytes:
        raise ValueError(f"at most {most_bytes} bytes can be read, it has more")
    try:
        return json.loads(data.decode("utf-8"))
    except RecursionError as error:
        raise ValueError(str(error)) from error


def to_json(value: Any) -> Any:
    """JSON values of a dataclass; numbers that are not finite become null."""
    if is_dataclass(value):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


@cache
def entries(kind: type) -> dict[str, tuple[Any, bool]]:
    """The annotation of each field of a dataclass, and whether it must be given."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: (hints[field.name],
                         field.default is MISSING and field.default_factory is MISSING)
            for field in fields(kind)}
