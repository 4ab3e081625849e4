"""The elements of a DICOM file, and whether they can be as long as they say.

Not by GDCM: it takes memory for what a header claims before it looks how long the file is, up to
4 GB for an element, keeps it when reading fails, reads all pixels to tell the header, and is not
safe in threads.
"""

from __future__ import annotations

import struct
from collections.abc import Container
from mmap import ACCESS_READ, mmap
from pathlib import Path

LONG = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
SHORT = (b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN",
         b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US")  # PS3.5 7.1.2
NO_KIND = (b"??", b"  ", b"\0\0")  # of private elements of some scanners
ITEM, SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD
PIXELS, SYNTAX, META = 0x7FE00010, 0x00020010, 0x0002
SIGN = 0x00280103
NUMBERS = (  # of 16 bits: samples, rows, columns, bits allocated, stored, high bit, sign,
    # padding and its other end
    0x00280002, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102, SIGN, 0x00280120,
    0x00280121,
)
IMPLICIT, BIG = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.2"
UNDEFINED = 0xFFFFFFFF
LONGEST = 256  # bytes of a text; names, UIDs and vectors are shorter


def read_elements(path: Path, wanted: Container[int]) -> dict[int, str] | None:
    """The text of elements of the data set itself, not of its sequences; PIXELS, if there, as "".

    Bytes that are no UTF-8 are surrogates. None when an element claims more bytes than follow it,
    or is of a kind that does not exist.
    """
    with open(path, "rb") as file:
        try:
            mapped = mmap(file.fileno(), 0, access=ACCESS_READ)
        except ValueError:  # empty
            return {}
        except OSError:  # some file systems cannot
            return _Walk(file.read(), wanted).run()
        with mapped as data:
            return _Walk(data, wanted).run()


class _Walk:
    """Steps through all elements, into sequences and items.

    Attributes:
        within: how many sequences of undefined length are open.
        until: where the longest sequence of a defined length ends.
        unknown: how many open sequences lie in an element of unknown kind, and are implicit.
    """

    def __init__(self, data: mmap | bytes, wanted: Container[int]) -> None:
        self.data, self.wanted = data, wanted
        self.found: dict[int, str] = {}
        self.order, self.within, self.until, self.unknown = "<", 0, 0, 0

    def run(self) -> dict[int, str] | None:
        data, size = self.data, len(self.data)
        marked = data[128:132] == b"DICM"
        at, in_meta = 132 if marked else 0, marked
        explicit = marked or data[4:6] in LONG + SHORT
        syntax, fragments = b"", False
        while at + 8 <= size:
            if in_meta and self._numbers(at, "H") != META:
                in_meta, explicit = False, syntax != IMPLICIT
                self.order = ">" if syntax == BIG else "<"
            tag = self._numbers(at, "H") << 16 | self._numbers(at + 2, "H")
            kind = data[at + 4:at + 6]
            if tag >> 16 == ITEM >> 16:
                length = self._numbers(at + 4, "L")
                at += 8
                if tag == SEQUENCE_END:
                    self.within, self.unknown = max(0, self.within - 1), max(0, self.unknown - 1)
                    fragments = False
                elif fragments:
                    at += length
                elif length not in (0, UNDEFINED) and at + length > size:
                    return None
                continue
            if fragments:
                return None
            if not explicit or self.unknown:
                length, at, kind = self._numbers(at + 4, "L"), at + 8, b""
                self.unknown += bool(self.unknown) and length == UNDEFINED
            elif kind in LONG and at + 12 <= size:
                length, at = self._numbers(at + 8, "L"), at + 12
                self.unknown = int(kind == b"UN" and length == UNDEFINED)
            elif kind in SHORT or ((tag >> 16) % 2 and kind in NO_KIND):
                length, at = self._numbers(at + 6, "H"), at + 8
            else:  # what archives append behind the pixels
                return self.found if PIXELS in self.found else None
            self._keep(tag, kind, at, length)
            if tag == SYNTAX and in_meta:
                syntax = data[at:at + length].rstrip(b"\0 ")
            if length == UNDEFINED:
                self.within += 1
                fragments = tag == PIXELS and bool(kind)
            elif at + length > size:
                return None
            elif kind == b"SQ":
                self.until = max(self.until, at + length)
            else:
                at += length
        return self.found if at <= size else None

    def _keep(self, tag: int, kind: bytes, at: int, length: int) -> None:
        if self.within or at <= self.until or tag in self.found:
            return
        if tag == PIXELS:
            self.found[tag] = ""
        elif tag not in self.wanted or length == UNDEFINED:
            return
        elif tag not in NUMBERS:
            text = self.data[at:at + min(length, LONGEST)]
            self.found[tag] = text.decode("utf-8", "surrogateescape")
        elif length == 2 and at + 2 <= len(self.data):
            signed = kind == b"SS" or (not kind and self.found.get(SIGN) == "1")
            self.found[tag] = str(self._numbers(at, "h" if signed else "H"))

    def _numbers(self, at: int, kind: str) -> int:
        (number,) = struct.unpack_from(self.order + kind, self.data, at)
        return number
