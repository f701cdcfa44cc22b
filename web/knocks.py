"""Bounds how often an address may come with tokens that are none: guessing is hopeless, and not free either.

Counted are failures only, in each process. A token that was valid here lately passes whatever its address did, so
that one program that knocks shuts out no other behind the same gateway. Nothing here grows beyond its bound.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import TypeVar

from hub.refusals import TooMany

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

FREE = 20
"""So many failures of one address are looked at at once; then one every `SECONDS`."""
SECONDS = 6.0
MOST = 10_000
"""So many addresses, and so many good tokens, are remembered: those that were seen last."""


class Knocks:
    """The failures of addresses, and the tokens that were valid lately (by their hashes)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._good: OrderedDict[bytes, None] = OrderedDict()

    def mind(self, address: str, token: str) -> None:
        """Go on to look the token up, unless too many from this address were none.

        Raises:
            TooMany: the error says how long to wait.
        """
        if _hash(token) in self._good:
            return
        left, _ = self._bucket(address)
        if left < 1:
            wait = (1 - left) * SECONDS
            raise TooMany(
                "too many tokens from this address were none", hint="Wait, then send a valid token.", after_seconds=wait
            )

    def failed(self, address: str, token: str) -> None:
        """Count a token that was none."""
        left, now = self._bucket(address)
        self._good.pop(_hash(token), None)
        _keep(self._left, _network(address), (max(0.0, left - 1), now))

    def passed(self, token: str) -> None:
        """Remember a token that is valid."""
        _keep(self._good, _hash(token), None)

    def _bucket(self, address: str) -> tuple[float, float]:
        now = self._clock()
        left, at = self._left.get(_network(address), (float(FREE), now))
        return min(float(FREE), left + (now - at) / SECONDS), now


def _keep(kept: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > MOST:
        kept.popitem(last=False)


def _network(address: str) -> str:
    """Return what one sender can change freely: nothing of an IPv4 address, the last half of an IPv6 one."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(int(found) >> 64)
    return str(found.ipv4_mapped if isinstance(found, IPv6Address) else found)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
