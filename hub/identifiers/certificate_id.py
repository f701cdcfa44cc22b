"""电子证照标识, the identifier of an electronic certificate (GB/T 36904-2018).

Dotted: the root 1.2.156.3005.2, the certificate type (18 characters of the credit code of the body that defined it,
and 3), the issuing body (normally a credit code, sometimes an area code), the serial (1 to 20), the version (3 digits)
and a check character: ISO 7064 MOD 37,36 over the four parts without root and dots.
"""

from __future__ import annotations

import re
import string

from hub.sentences import sentence

ROOT = "1.2.156.3005.2"
ALPHABET = string.digits + string.ascii_uppercase
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_PARTS = 5
_SHAPES = (
    ("certificate type", re.compile(r"[0-9A-Z]{21}")),
    ("issuing body", re.compile(r"[0-9A-Z]{18}|[0-9]{6}|[0-9]{9}|[0-9]{12}")),
    ("serial", re.compile(r"[0-9A-Z]{1,20}")),
    ("version", re.compile(r"[0-9]{3}")),
    ("check character", re.compile(r"[0-9A-Z]")),
)


def check_character(payload: str) -> str:
    """Compute the check character of ISO 7064 MOD 37,36 for the four parts written together.

    It notices every single wrong character and nearly every exchange of two neighbours.

    Raises:
        ValueError: `payload` is empty or has a character outside the alphabet.
    """
    if not payload or any(character not in _VALUES for character in payload):
        raise ValueError("a certificate identifier has digits and capital letters only")
    product = 36
    for character in payload:
        product = (((product + _VALUES[character]) % 36 or 36) * 2) % 37
    return ALPHABET[(37 - product) % 36]


def make(certificate_type: str, issuer: str, serial: str, version: str = "001") -> str:
    """Return the dotted identifier with its check character."""
    parts = (certificate_type, issuer, serial, version)
    return ".".join((ROOT, *parts, check_character("".join(parts))))


def fault(text: str) -> str | None:
    """Say why `text` is no certificate identifier; None if it is one."""
    if not text.startswith(ROOT + "."):
        return sentence("does not begin with {root}", root=ROOT)
    parts = text[len(ROOT) + 1 :].split(".")
    if len(parts) != _PARTS:
        return "not five parts after the root (type, issuer, serial, version, check character)"
    for part, (name, shape) in zip(parts, _SHAPES, strict=True):
        if shape.fullmatch(part) is None:
            return sentence("the {name} is not formed as the standard says", name=name)
    return None if parts[4] == check_character("".join(parts[:4])) else "the check character does not fit"
