"""Draws the module's icon, MetaUNETRSegment/Resources/Icons/MetaUNETRSegment.png.

A body in axial section, seen from the feet as in Slicer: liver, stomach, spleen, aorta, inferior
vena cava, kidney and spine, in or near the colours of their segments. Shapes are large and few, so
that it is clear at 24 pixels too.
"""

import sys
from pathlib import Path

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QTransform

SIZE = 128  # pixels
TARGET = Path(__file__).parents[2] / "MetaUNETRSegment/Resources/Icons/MetaUNETRSegment.png"


def ellipse(x: float, y: float, width: float, height: float, angle: float = 0) -> QPainterPath:
    """Centred at (x, y), turned clockwise by `angle` degrees."""
    path = QPainterPath()
    path.addEllipse(QPointF(0, 0), width / 2, height / 2)
    return QTransform().translate(x, y).rotate(angle).map(path)


def liver() -> QPainterPath:
    """The right lobe fills the flank, the left one tapers across the midline."""
    path = QPainterPath(QPointF(8, 60))
    path.cubicTo(10, 30, 40, 22, 78, 33)
    path.cubicTo(88, 36, 86, 42, 76, 44)
    path.cubicTo(58, 48, 58, 60, 50, 68)
    path.cubicTo(40, 78, 34, 92, 22, 94)
    path.cubicTo(12, 92, 6, 76, 8, 60)
    return path


def icon() -> QImage:
    image = QImage(SIZE, SIZE, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    cavity = ellipse(64, 63, 104, 77)
    painter.fillPath(ellipse(64, 64, 122, 94), QColor("#50565e"))  # body wall
    painter.fillPath(cavity, QColor("#1f2429"))
    painter.setPen(QPen(QColor("#14171a"), 2))
    for organ, colour in (
        (liver(), "#dd8265"),
        (ellipse(84, 52, 34, 25, 25), "#f2c14e"),  # stomach
        (ellipse(108, 68, 15, 30, 8), "#9d6ca2"),  # spleen
        (ellipse(64, 88, 26, 22), "#f1ece0"),  # vertebra
        (ellipse(69, 70, 14, 14), "#e0614c"),  # aorta
        (ellipse(48, 78, 13, 13), "#5b8fd6"),  # inferior vena cava
        (ellipse(96, 88, 16, 23, 25), "#b96653"),  # kidney
    ):
        painter.fillPath(organ & cavity, QColor(colour))
        painter.drawPath(organ & cavity)
    painter.end()
    return image


if __name__ == "__main__":
    if not icon().save(str(TARGET)):
        sys.exit(f"{TARGET} cannot be written.")
