"""The outlines of masks as polygons, for RTSTRUCT.

Polygons follow the edges of pixels, so that the pixels with their centre inside are exactly those
of the mask. Holes are connected to the polygon around them by a channel of no width (keyhole, PS3.3
C.8.8.6.3), since programs differ in how they fill a polygon inside another.
"""

from __future__ import annotations

import numpy as np

from metaunetr.boxes import bounding_box

CHANNEL = 0.25  # where a channel crosses a row: neither through pixel centres nor along edges


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """The polygons around the pixels of `mask`; pixels that share only a corner are separate.

    Args:
        mask: bool (H, W).

    Returns:
        One polygon for each connected part: its corners (N, 2), as pixel coordinates (i, j), of
        which pixel centres are the whole numbers. It is closed by going back to the first.
    """
    box = bounding_box(mask)
    if box is None:
        return []
    top, left = (part.start for part in box)
    padded = np.pad(mask[box], 1)
    loops = _loops(padded)
    holes = [loop for loop in loops if not padded[loop[0, 1] + 1, loop[0, 0] + 1]]
    loops = [loop.astype(float) for loop in loops if padded[loop[0, 1] + 1, loop[0, 0] + 1]]
    for hole in sorted(holes, key=lambda loop: loop[:, 0].min()):  # from left to right
        _connect(hole[::-1].astype(float), loops)
    return [loop + (left - 0.5, top - 0.5) for loop in loops]


def _loops(padded: np.ndarray) -> list[np.ndarray]:
    """The closed lines between pixels inside and outside: integer (x, y) of corners, clockwise.

    Each begins at its upper left corner. Along a row, and along a column, the sorted corners are
    the ends of alternate lines: every two of them are connected. A corner that two pixels share,
    and nothing else, counts twice, once for each of the lines that meet there.
    """
    upper, lower = padded[:-1], padded[1:]
    count = sum(part.astype(np.int8) for part in (
        upper[:, :-1], upper[:, 1:], lower[:, :-1], lower[:, 1:]))
    diagonal = (count == 2) & (upper[:, :-1] == lower[:, 1:])
    y, x = np.nonzero((count % 2 == 1) | diagonal)
    twice = diagonal[y, x]
    y, x = np.repeat(y, 1 + twice), np.repeat(x, 1 + twice)
    second = np.zeros(len(y), int)  # 1 for the right one of a corner that counts twice
    second[np.cumsum(1 + twice)[twice] - 1] = 1
    below = second ^ (diagonal[y, x] & ~upper[y, x])  # its vertical line is below it
    across = np.arange(len(y)) ^ 1
    order = np.lexsort((below, y, x))
    down = np.empty(len(y), int)
    down[order] = order[np.arange(len(y)) ^ 1]
    across, down = across.tolist(), down.tolist()
    seen, loops = bytearray(len(y)), []
    for start in range(len(y)):
        if seen[start]:
            continue
        corners, at = [], start
        while not seen[at]:
            corner = across[at]
            seen[at] = seen[corner] = 1
            corners += at, corner
            at = down[corner]
        loops.append(np.column_stack([x[corners], y[corners]]))
    return loops


def _connect(hole: np.ndarray, loops: list[np.ndarray]) -> None:
    """Connect `hole` with the nearest of `loops` to the left of its leftmost line."""
    begin = int(hole[:, 0].argmin())
    hole = np.roll(hole, -begin, axis=0)
    if hole[1, 0] != hole[0, 0]:  # its leftmost line ends at its first corner
        hole = np.roll(hole, 1, axis=0)
    x, y = hole[0, 0], hole[:2, 1].min() + CHANNEL
    best = None
    for number, loop in enumerate(loops):
        following = np.roll(loop, -1, axis=0)
        crossed = ((loop[:, 0] == following[:, 0]) & (loop[:, 0] < x)
                   & ((loop[:, 1] < y) != (following[:, 1] < y)))
        for place in np.flatnonzero(crossed):
            if best is None or loop[place, 0] > best[0]:
                best = loop[place, 0], number, place
    at, number, place = best
    loop = loops[number]
    loops[number] = np.concatenate([
        loop[:place + 1], [(at, y), (x, y)], np.roll(hole, -1, axis=0), [(x, y), (at, y)],
        loop[place + 1:],
    ])
