"""A result as one self-contained HTML page: pictures and viewer inside, no network."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from math import isnan
from os import PathLike

import numpy as np

from metaunetr.image import Image
from metaunetr.io.atomic import write_text
from metaunetr.organs import Organ
from metaunetr.report.overlay import PLANES, Scene, organ_pictures, overview_pictures
from metaunetr.report.palette import shown_colour
from metaunetr.report.png import encode_png
from metaunetr.report.style import CSS
from metaunetr.report.surfaces import surface_pictures
from metaunetr.report.viewer import letters, render_viewer
from metaunetr.result import CUT_OFF, DISCLAIMER, OrganResult, Result
from metaunetr.text import millilitres

NO_NETWORK = ("default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
              "script-src 'unsafe-inline'")

CALIBRATED = ("Confidence: how well these labels should agree with those of an expert, as expected "
              "from CTs with both. It is a Dice: 1 is perfect agreement, 0 is none.")
UNCALIBRATED = ("Confidence: the probability that the model gives to its own labels, from 0 to 1, "
                "as a mean over the voxels of the organ.")


def write_report(path: str | PathLike[str], image: Image, result: Result) -> None:
    """Write the HTML report of `result`, which was made from `image`.

    Args:
        image: the CT in HU, on the grid of `result.labels`.

    Raises:
        OutputError: the file cannot be written; nothing is left behind.
    """
    write_text(path, render(image, result))


def render(image: Image, result: Result) -> str:
    """The report as HTML."""
    scene = Scene.of(image, result.labels)
    found = [item for item in result.organs if item.organ.number in scene.profiles]
    name = image.source.name if image.source else "image in memory"
    parts = [
        f"<header><h1>Abdominal organ segmentation</h1>{_facts(name, image, result)}</header>",
        f'<div class="notice disclaimer" role="note">{escape(DISCLAIMER)}</div>',
        _summary(result.organs),
        _warnings(result.warnings),
        "<h2>Overview</h2>",
        render_viewer(scene),
        '<div id="stills">',
        _pictures(scene, overview_pictures(scene), ("coronal", "axial", "sagittal"),
                  scene.best_slices(list(scene.profiles)), "all organs"),
        f'<ul class="legend">{"".join(f"<li>{_named(item.organ)}</li>" for item in found)}</ul>',
        '<p class="caption">Soft-tissue window, −160 to 240 HU. '
        "The patient’s right is on the left.</p></div>",
        _surfaces(scene) if found else "",
        "<h2>Measurements</h2>",
        _table(result.organs, result.record.get("confidence") == "expected Dice"),
        "<h2>Organs</h2>" if found else "<p>None of the organs was found in this image.</p>",
        *(_organ(scene, item) for item in found),
        "<details><summary>Record: how this result came about</summary>"
        f"<pre>{escape(_pretty(result.record))}</pre></details>",
        f"<footer>{escape(DISCLAIMER)} Volumes are those of the label map, not checked by a "
        "person.</footer>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{NO_NETWORK}">'
        f"<title>{escape(name)} – organ segmentation</title><style>{CSS}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _facts(name: str, image: Image, result: Result) -> str:
    grid, record = image.grid, result.record
    size = " × ".join(str(n) for n in reversed(grid.shape))
    spacing = " × ".join(f"{s:.4g}" for s in grid.spacing)
    facts = {
        "Image": name,
        "Size": f"{size} voxels of {spacing} mm",
        "Model": record.get("model"),
        "Software": record.get("software"),
        "Date": record.get("date"),
    }
    lines = (
        f"<dt>{term}</dt><dd>{escape(str(value))}</dd>" for term, value in facts.items() if value
    )
    return f'<dl class="facts">{"".join(lines)}</dl>'


def _warnings(warnings: Iterable[str]) -> str:
    lines = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    if not lines:
        return ""
    return f'<div class="notice"><strong>Warnings</strong><ul>{lines}</ul></div>'


def _summary(organs: Sequence[OrganResult]) -> str:
    """Which organs a person should look at, in one line."""
    found = [item for item in organs if item.voxels]
    doubtful = [item.organ.name for item in found if item.doubts]
    lists = {
        f"{len(doubtful)} of {len(found)} organs flagged": doubtful,
        "touching the border of the image": [i.organ.name for i in found if CUT_OFF in i.flags],
        "not found": [item.organ.name for item in organs if not item.voxels],
    }
    text = "; ".join(f"{what}: {', '.join(names)}" for what, names in lists.items() if names)
    if found and not doubtful:
        text = f"None of {len(found)} organs flagged" + "; " * bool(text) + text
    look = any(item.doubts for item in organs)  # also at an organ that was not found
    return f'<p class="summary{" doubtful" * look}">{escape(text)}.</p>'


def _pictures(scene: Scene, pictures: dict[str, np.ndarray], planes: Iterable[str],
              slices: Iterable[int], subject: str) -> str:
    """Figures of the planes; `slices` are those across (D, H, W)."""
    slices = dict(zip(PLANES, slices, strict=True))
    figures = (_figure(pictures[plane], plane, f"{subject}, {plane}",
                       f"{plane}: {scene.place(PLANES.index(plane), slices[plane])}")
               for plane in planes)
    return f'<div class="pictures">{"".join(figures)}</div>'


def _surfaces(scene: Scene) -> str:
    """Figures of the surfaces of all organs."""
    figures = (_figure(picture, view, f"surfaces of all organs, {view} view", f"{view} view")
               for view, picture in surface_pictures(scene).items())
    return (f'<h2>Surfaces</h2><div class="pictures surfaces">{"".join(figures)}</div>'
            '<p class="caption">Surfaces of the labels, smoothed. Organs hide what lies behind '
            "them.</p>")


def _figure(picture: np.ndarray, view: str, alt: str, caption: str) -> str:
    height, width, _ = picture.shape
    data = b64encode(encode_png(picture)).decode("ascii")
    return (
        f'<figure style="flex: {width} 1 0"><div class="picture"><img width="{width}" '
        f'height="{height}" alt="{escape(alt)}" src="data:image/png;base64,{data}">{letters(view)}'
        f'<span class="length">5 cm</span></div><figcaption>{caption}</figcaption></figure>'
    )


def _table(organs: Iterable[OrganResult], calibrated: bool) -> str:
    rows = []
    for item in organs:
        cells = (
            f'<td class="number">{millilitres(item.volume_ml)}</td>'
            f'<td class="number">{_hu(item)}</td>'
            f'<td class="number">{_number(item.confidence, 2)}</td>'
            if item.voxels else '<td class="number" colspan="3">not found</td>'
        )
        kind = "" if item.voxels else ' class="absent"'
        flags = _flags(item) if item.voxels else ""  # that it was not found is said
        rows.append(f"<tr{kind}><td>{_named(item.organ)}</td>{cells}<td>{flags}</td></tr>")
    return (
        '<table class="organs"><thead><tr><th>Organ</th><th class="number">Volume (mL)</th>'
        '<th class="number">Mean ± SD (HU)</th><th class="number">Confidence</th>'
        f"<th>Remarks</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
        f'<p class="caption">{CALIBRATED if calibrated else UNCALIBRATED}</p>'
    )


def _organ(scene: Scene, item: OrganResult) -> str:
    facts = (
        f"{millilitres(item.volume_ml)} mL · {_hu(item)} HU · "
        f"confidence {_number(item.confidence, 2)}"
    )
    slices = scene.richest_slices([item.organ.number])
    pictures = _pictures(scene, organ_pictures(scene, item.organ), PLANES, slices, item.organ.name)
    return (
        f'<section class="organ"><h3>{_named(item.organ)}</h3><p>{facts}{_flags(item)}</p>'
        f"{pictures}</section>"
    )


def _named(organ: Organ) -> str:
    colour = ", ".join(map(str, shown_colour(organ)))
    return (f'<span data-organ="{organ.number}"><span class="chip" style="background: '
            f'rgb({colour})"></span>{escape(organ.name)}</span>')


def _flags(item: OrganResult) -> str:
    kinds = {flag: "flag" if flag in item.doubts else "remark" for flag in item.flags}
    return "".join(f'<span class="{kind}">{escape(flag)}</span>' for flag, kind in kinds.items())


def _hu(item: OrganResult) -> str:
    return f"{_number(item.hu_mean, 0)} ± {_number(item.hu_sd, 0)}"


def _number(value: float, decimals: int) -> str:
    if isnan(value):
        return "–"
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")  # + 0.0: no −0


def _pretty(record: dict) -> str:
    return json.dumps(record, indent=2, ensure_ascii=False, default=str)
