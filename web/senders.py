"""Senders who are not known told apart, without their addresses: by a keyed hash whose key dies with the process."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets

_KEY = secrets.token_bytes(32)
_OF_A_LINE = 64
"""Bits of an IPv6 address that one connection to the internet has: the rest of it anybody chooses at will."""


def sender_of(address: str) -> bytes:
    """Return what stands for an address while this process lives; nothing leads back to it, and nothing is stored."""
    return hashlib.blake2b(_line(address).encode(), key=_KEY, digest_size=16).digest()


def _line(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, _OF_A_LINE), strict=False))
    return str(found)
