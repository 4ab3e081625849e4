"""Whether the elements of a DICOM file can be as long as they say.

GDCM takes memory for what a header claims before it looks how long the file is, up to 4 GB for an
element, and keeps it when reading fails.
"""

from __future__ import annotations

import struct
from mmap import ACCESS_READ, mmap
from pathlib import Path

LONG = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
SHORT = (b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN",
         b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US")  # PS3.5 7.1.2
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXELS, SYNTAX, META = 0x7FE00010, 0x00020010, 0x0002
IMPLICIT, BIG = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.2"
UNDEFINED = 0xFFFFFFFF


def lengths_are_possible(path: Path) -> bool:
    """Whether no element claims more bytes than follow it, and all are of kinds that exist."""
    with open(path, "rb") as file:
        try:
            with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
                return _walk(data)
        except (OSError, ValueError):  # empty, or not to be mapped
            return True


def _walk(data: mmap) -> bool:
    """Step through all elements, into sequences and items, without remembering where they end."""
    marked = data[128:132] == b"DICM"
    at, size = 132 if marked else 0, len(data)
    explicit, order = marked or data[4:6] in LONG + SHORT, "<"
    syntax, unknown, fragments = b"", 0, False  # unknown: open sequences of an unknown element
    in_meta, seen = marked, False  # seen: the pixel data
    while at + 8 <= size:
        if in_meta and struct.unpack_from("<H", data, at)[0] != META:
            in_meta, explicit, order = False, syntax != IMPLICIT, ">" if syntax == BIG else "<"
        group, element = struct.unpack_from(order + "HH", data, at)
        tag, kind = group << 16 | element, data[at + 4:at + 6]
        if tag >> 16 == ITEM >> 16:
            (length,) = struct.unpack_from(order + "L", data, at + 4)
            at += 8
            if tag == SEQUENCE_END:
                unknown, fragments = max(0, unknown - 1), False
            elif fragments:
                at += length
            elif length not in (0, UNDEFINED) and at + length > size:
                return False
        elif fragments:
            return False
        elif not explicit or unknown:
            (length,) = struct.unpack_from(order + "L", data, at + 4)
            at += 8
            unknown += bool(unknown) and length == UNDEFINED
            at += 0 if length == UNDEFINED else length
        elif kind in LONG and at + 12 <= size:
            (length,) = struct.unpack_from(order + "L", data, at + 8)
            at += 12
            fragments = tag == PIXELS and length == UNDEFINED
            unknown = int(kind == b"UN" and length == UNDEFINED)
            if length != UNDEFINED and at + length > size:
                return False
            at += 0 if length == UNDEFINED or kind == b"SQ" else length
        elif kind in SHORT:
            (length,) = struct.unpack_from(order + "H", data, at + 6)
            at += 8 + length
            if tag == SYNTAX and in_meta:
                syntax = data[at - length:at].rstrip(b"\0 ")
        else:  # private elements of some scanners, and what archives append, have no kind
            return seen or bool(group % 2 and kind in (b"??", b"  ", b"\0\0"))
        seen = seen or tag == PIXELS
    return at <= size
