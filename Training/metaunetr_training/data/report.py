"""A page about the prepared cases: warnings, tables, and a picture of every case."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from statistics import median
from urllib.parse import quote

from metaunetr import io
from metaunetr.organs import ORGANS
from metaunetr.report.palette import shown_colour
from metaunetr.report.style import CSS
from metaunetr_training.data.folds import Fold
from metaunetr_training.data.prepared import Prepared, PreparedCase, picture_file

GALLERY = """
table { margin-top: 12px; }
.cases { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 12px; }
.case { margin: 0; padding: 6px; border: 1px solid var(--line); border-radius: 6px; }
.case.odd { border-color: var(--caution-line); background: var(--caution-paper); }
.case img { display: block; width: 100%; image-rendering: auto; background: #000; }
.case p { margin: 4px 0 0; font-size: 13px; overflow-wrap: anywhere; }
"""


def write_report(prepared: Prepared, notices: Sequence[str], failed: Mapping[str, str]) -> None:
    """Writes report.html beside the pictures that it shows.

    Args:
        notices: warnings about more than one case.
        failed: reason by key, of cases that could not be prepared.

    Raises:
        OutputError: it cannot be written.
    """
    io.write_text(prepared.folder / "report.html", render(prepared, notices, failed))


def render(prepared: Prepared, notices: Sequence[str], failed: Mapping[str, str]) -> str:
    """The report as HTML."""
    names = sorted({case.source.dataset for case in prepared.cases})
    title = f"Prepared cases: {', '.join(names)}"
    parts = [f"<h1>{escape(title)}</h1>", _facts(prepared), _warnings(prepared, notices, failed)]
    for name in names:
        parts.append(_data_set(name, [c for c in prepared.cases if c.source.dataset == name],
                               prepared))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{CSS}{GALLERY}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _facts(prepared: Prepared) -> str:
    preprocessing = prepared.preprocessing
    voxels = sum(d * h * w for d, h, w in (case.shape for case in prepared.cases))
    return _list({
        "Cases": len(prepared.cases),
        "Voxels": f"{_joined(preprocessing.spacing)} mm, {voxels / 1e6:,.0f} million",
        "Image": "{:g} to {:g} HU as 0 to 1".format(*preprocessing.hu_window),
        "Folds": _folds(prepared.folds[case.key] for case in prepared.cases),
    })


def _warnings(prepared: Prepared, notices: Sequence[str], failed: Mapping[str, str]) -> str:
    odd = [f"{case.key}: {text}" for case in prepared.cases for text in case.warnings]
    lists = (
        (f"{len(failed)} cases could not be prepared",
         [f"{key}: {why}" for key, why in failed.items()]),
        ("Warnings", [*notices, *odd]),
    )
    shown = "".join(
        f'<div class="notice"><strong>{title}</strong><ul>'
        f"{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul></div>"
        for title, lines in lists if lines
    )
    return shown or "<p>Nothing was odd.</p>"


def _data_set(name: str, cases: Sequence[PreparedCase], prepared: Prepared) -> str:
    spacings = list(zip(*(case.spacing for case in cases), strict=True))
    shapes = list(zip(*(case.shape[::-1] for case in cases), strict=True))
    facts = {
        "Cases": len(cases),
        "Spacing": f"{' × '.join(_range(values) for values in spacings)} mm",
        "Prepared": f"{' × '.join(_range(values) for values in shapes)} voxels",
        "Folds": _folds(prepared.folds[case.key] for case in cases),
    }
    odd_first = sorted(cases, key=lambda case: (not case.warnings, case.key))
    return (f"<h2>{escape(name)}</h2>{_list(facts)}{_organs(cases)}"
            f'<h2>Cases of {escape(name)}</h2><p class="caption">As the network sees them, '
            "in a soft-tissue window. The patient’s right is on the left. Bars: 5 cm.</p>"
            f'<div class="cases">{"".join(_case(case, prepared) for case in odd_first)}</div>')


def _organs(cases: Sequence[PreparedCase]) -> str:
    rows = []
    for organ in ORGANS:
        annotated = [case for case in cases if organ.number in case.annotated]
        volumes = [case.volumes_ml[organ.number] for case in annotated
                   if organ.number in case.volumes_ml]
        colour = "rgb({}, {}, {})".format(*shown_colour(organ))
        volume = f"{_number(median(volumes))}</td><td class=\"number\">{_range(volumes)}" \
            if volumes else '–</td><td class="number">–'
        rows.append(
            f'<tr{"" if annotated else " class=absent"}><td><i class="chip" style="background: '
            f'{colour}"></i>{organ.name}</td><td class="number">{len(annotated)}</td>'
            f'<td class="number">{len(volumes)}</td><td class="number">{volume}</td></tr>')
    head = "".join(f'<th class="number">{text}</th>' for text in (
        "annotated in", "present in", "median, mL", "range, mL"))
    return f"<table><tr><th>organ</th>{head}</tr>{''.join(rows)}</table>"


def _case(case: PreparedCase, prepared: Prepared) -> str:
    picture = picture_file(prepared.folder, case.key).relative_to(prepared.folder)
    texts = "".join(f'<p class="flag">{escape(text)}</p>' for text in case.warnings)
    fold = prepared.folds[case.key]
    return (
        f'<div class="case{" odd" if case.warnings else ""}"><img loading="lazy" '
        f'alt="{escape(case.key)}" src="{escape(quote(picture.as_posix()))}">'
        f"<p><strong>{escape(case.source.id)}</strong>, "
        f"{fold if isinstance(fold, str) else f'fold {fold}'}, {_joined(case.spacing)} mm"
        f"</p>{texts}</div>"
    )


def _list(facts: Mapping[str, object]) -> str:
    lines = "".join(f"<dt>{name}</dt><dd>{escape(str(value))}</dd>"
                    for name, value in facts.items())
    return f'<dl class="facts">{lines}</dl>'


def _folds(folds: Iterable[Fold]) -> str:
    """Such as "0: 6, 1: 6, test: 3"."""
    folds = list(folds)
    return ", ".join(f"{fold}: {folds.count(fold)}" for fold in sorted(set(folds), key=str))


def _range(values: Sequence[float]) -> str:
    low, high = _number(min(values)), _number(max(values))
    return low if low == high else f"{low}–{high}"


def _joined(values: Sequence[float]) -> str:
    return " × ".join(map(_number, values))


def _number(value: float) -> str:
    """With three significant digits, or all before the decimal point: 0.783, 45.2, 2,250."""
    decimals = 0 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
