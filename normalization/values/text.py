"""Texts and identifiers: what is not visible goes, what is said stays.

A *text* keeps its Chinese punctuation and its full-width forms. An *identifier* (codes, numbers, organ and region
codes) is brought to its half-width form (Unicode NFKC), since departments type the same number in both widths.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from normalization.values.common import TEXT, Read, spread

_BLANK = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_BLANKS = re.compile(f"[{_BLANK}]+")
_UNREADABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_INVISIBLE = re.compile("[\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")

_TEXT_SUSPECT = (
    r"^ | $|  |[\x00-\x1f\x7f-\x{a0}\x{ad}\x{1680}\x{2000}-\x{200f}\x{2028}-\x{202f}\x{205f}-\x{206f}\x{3000}\x{feff}]"
)
_IDENTIFIER_SUSPECT = r"[^!-~\x{4e00}-\x{9fff}]"


def unreadable_characters(value: str) -> str:
    """Name the control characters of a text, as `U+0000 U+0007`; empty where there is none."""
    return " ".join(sorted({f"U+{ord(character):04X}" for character in _UNREADABLE.findall(value)}))


def clean_text(value: str) -> str | None:
    """Take control and invisible characters away, make every run of blanks one space; None where nothing is left.

    NUL is never kept: PostgreSQL cannot store it. Direction marks go because they make two texts look alike.
    """
    seen = _INVISIBLE.sub("", _UNREADABLE.sub("", value))
    return _BLANKS.sub(" ", seen).strip(" ") or None


def clean_identifier(value: str) -> str | None:
    """Clean a text and bring it to half-width form; None where nothing is left."""
    cleaned = clean_text(value)
    if cleaned is None or cleaned.isascii():
        return cleaned
    normal = unicodedata.normalize("NFKC", cleaned)
    return cleaned if normal == cleaned else clean_text(normal)


def clean_number(value: str) -> str | None:
    """Clean an official number (credit code, resident id, item code): half-width, without blanks.

    Letters stay as said: a credit code in small letters is a fault that its department must see.
    """
    cleaned = clean_identifier(value)
    if cleaned is None:
        return None
    joined = cleaned.replace(" ", "")
    return joined if joined.isascii() else unicodedata.normalize("NFKC", joined)


def read_text(texts: pa.Array) -> Read:
    """Read a column of texts."""
    return _clean_column(texts, clean_text, _TEXT_SUSPECT)


def read_identifier(texts: pa.Array) -> Read:
    """Read a column of identifiers, as said but half-width."""
    return _clean_column(texts, clean_identifier, _IDENTIFIER_SUSPECT)


def read_number(texts: pa.Array) -> Read:
    """Read a column of official numbers: half-width, without blanks."""
    return _clean_column(texts, clean_number, _IDENTIFIER_SUSPECT)


def _clean_column(texts: pa.Array, scalar: Callable[[str], str | None], suspect: str) -> Read:
    """Clean only those distinct values in which a screen finds something suspect, and empty ones.

    `suspect` is a regular expression (RE2) that matches in every text which `scalar` would change.
    """
    coded = texts.dictionary_encode()
    uniques = coded.dictionary
    screen = pc.or_(pc.match_substring_regex(uniques, suspect), pc.equal(pc.binary_length(uniques), 0))
    suspects = np.flatnonzero(screen.to_numpy(zero_copy_only=False))
    if not len(suspects):
        return Read(texts)
    originals = uniques.take(suspects).to_pylist()
    cleaned = pa.array([scalar(text) for text in originals], TEXT)
    mended = {
        int(number): found
        for number, text in zip(suspects, originals, strict=True)
        if (found := unreadable_characters(text))
    }
    values = pc.replace_with_mask(uniques, screen, cleaned)
    return Read(values.take(coded.indices), mended=spread(mended, coded.indices))
