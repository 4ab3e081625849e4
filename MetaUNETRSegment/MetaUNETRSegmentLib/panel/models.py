"""The available models and their cards."""

import html

from slicer.i18n import tr as _

from metaunetr import bundle
from metaunetr.errors import BundleError
from MetaUNETRSegmentLib.ownmodels import gains

from .choices import Item


def modelItems() -> list:
    """All models found; damaged ones cannot be chosen and show the reason."""
    items = []
    for name, folder in bundle.available().items():
        try:
            model = bundle.load(folder)
        except BundleError as error:
            label = _("{name} (cannot be used)").format(name=name)
            items.append(Item(name, label, reason=str(error)))
        else:
            items.append(Item(name, title(model), tip=describe(model)))
    return items


def find(name: str):
    """The model called `name`; None if it is missing or damaged."""
    try:
        return bundle.find(name)
    except BundleError:
        return None


def title(model) -> str:
    """That of the card; after the name of an adapted model, which its user may have chosen."""
    text = str(model.card.get("title") or model.name)
    return f"{model.name} ({text})" if gains(model.card) else text


def describe(model) -> str:
    """The card for a tooltip: organs with their Dice, gain, spacing, licence."""
    measured, scores = next(iter(model.dice.items()), ("", {}))
    scores = dict(scores)
    mean = scores.pop("mean", None)
    if mean is not None:
        measured = f"{measured}: {mean:.2f}"
    organs = ", ".join(
        f"{organ.name} ({scores[organ.name]:.2f})" if organ.name in scores else organ.name
        for organ in model.classes)
    spacing = " × ".join(f"{value:g}" for value in model.preprocessing.spacing)
    lines = [
        (_("Model"), f"{title(model)} [{model.name}]"),
        (_("Organs (Dice)") if scores else _("Organs"), organs),
        (_("Measured on"), measured),
        (_("Gain"), gainText(gains(model.card))),
        (_("Spacing"), f"{spacing} mm"),
        (_("Training data"), model.card.get("data_licence", "")),
        (_("Licence of the weights"), model.card.get("weights_licence", "")),
        (_("Use"), model.card.get("intended_use", "")),
    ]
    return "".join(f"<p><b>{label}:</b> {html.escape(str(text))}</p>"
                   for label, text in lines if text)


def gainText(found: list) -> str:
    """Of an adapted model, such as "mean Dice 0.81 → 0.86 in 6 held-out CTs"."""
    if not found:
        return ""
    (before, after), count = found[-1].dice, found[-1].n
    return _("mean Dice of the corrected organs {before} → {after} in {count} held-out CTs").format(
        before=f"{before:.2f}", after=f"{after:.2f}", count=count)
