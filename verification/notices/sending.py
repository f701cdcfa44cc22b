"""One notice posted to one address: never into a private network, never after a redirection, for seconds at most.

The post itself is any request of the hub to the outside (`hub.outward`); here stands whither it may go.

A host is resolved once, every address of it is judged, and the judged one is connected to, so that a name cannot point
elsewhere in between. Of the answer the status is read and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import IPPROTO_TCP, SOCK_STREAM
from typing import Final
from urllib.parse import urlsplit

from hub.outward import HEAD_ONLY, NoAnswer, Request, ask

Networks = Sequence[IPv4Network | IPv6Network]
SECONDS: Final = 10.0
"""So long a try lasts at most, whatever the receiver does: name, connection, sending and the head of the answer."""
LONGEST_URL: Final = 1_000
FORM: Final = "application/secevent+jwt"
"""The form of a signed notice (RFC 8417), posted as RFC 8935 has it."""
_NAT64: Final = ip_network("64:ff9b::/96")
_INSIDE: Final = tuple(
    ip_network(one)
    for one in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "fec0::/10", "3fff::/20", "5f00::/16")
)
"""Special addresses that Python's older tables hold to be public; 168.63.129.16 answers inside of one cloud."""
_TAKEN: Final = range(200, 300)


class NotSent(Exception):
    """A try did not succeed; `fault` is a stable word without any text of the receiver."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__(fault)


class BadAddress(ValueError):
    """An address cannot be subscribed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a notice goes."""

    host: str
    port: int
    target: str
    tls: bool

    @property
    def url(self) -> str:
        """Return the address, with its port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{self.target}"

    @classmethod
    def of(cls, url: str) -> Place:
        """Read an address.

        Raises:
            BadAddress: it has not the form of one, or holds what is a secret or goes nowhere.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
            host.encode("idna")
        except ValueError:
            raise BadAddress("the address cannot be read") from None
        faults = [
            word
            for word, wrong in (
                ("begins neither with https:// nor http://", parts.scheme not in ("https", "http")),
                ("names no host", not host),
                ("holds a name or a password", parts.username is not None or parts.password is not None),
                ("has a query or a fragment: it is shown in lists, so nothing secret may stand in it",
                 bool(parts.query or parts.fragment)),
                (f"is longer than {LONGEST_URL}", len(url) > LONGEST_URL),
                ("holds other characters than printable ASCII", not (url.isascii() and url.isprintable())),
                ("holds a blank", " " in url),
            ) if wrong
        ]  # fmt: skip
        if faults:
            raise BadAddress(f"the address {'; it '.join(faults)}")
        tls = parts.scheme == "https"
        return cls(host, port or (443 if tls else 80), parts.path or "/", tls)


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the address that is reached in the end: IPv6 has several ways to write an IPv4 one."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def may_reach(text: str, allowed: Networks) -> bool:
    """Say whether an address may be posted to: it is public, or of a network that a setting allows."""
    address = _inner(ip_address(text.partition("%")[0]))
    return _within(address, allowed) or (
        address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
        and not _within(address, _INSIDE)
    )  # fmt: skip


def _within(address: IPv4Address | IPv6Address, allowed: Networks) -> bool:
    return any(address.version == one.version and address in one for one in allowed)


async def post(place: Place, body: bytes, *, allowed: Networks, seconds: float = SECONDS) -> None:
    """Post a notice, once.

    Raises:
        NotSent: it was not taken, with the word for why.
    """
    headers = {"Content-Type": FORM, "Accept": "application/json"}
    try:
        async with asyncio.timeout(seconds):
            address = await _judged(place, allowed)
            request = Request("POST", place.url, headers, body)
            status = (await ask(request, seconds=seconds, largest=HEAD_ONLY, address=address)).status
    except TimeoutError:
        raise NotSent("too_slow") from None
    except NoAnswer as missed:
        raise NotSent(missed.fault) from None
    if status not in _TAKEN:
        raise NotSent("redirected" if 300 <= status < 400 else f"status_{status}")  # noqa: PLR2004  # HTTP's own numbers


async def _judged(place: Place, allowed: Networks) -> str:
    """Resolve a host and return its first address, if all of its addresses may be posted to."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            place.host, place.port, type=SOCK_STREAM, proto=IPPROTO_TCP
        )
    except OSError:
        raise NotSent("no_such_host") from None
    addresses = [str(one[4][0]) for one in found]
    if not addresses or not all(may_reach(one, allowed) for one in addresses):
        raise NotSent("address_not_allowed")
    # In clear only within the networks that a setting names: a notice says that an organ's case is in question.
    if not place.tls and not all(_within(_inner(ip_address(one.partition("%")[0])), allowed) for one in addresses):
        raise NotSent("not_encrypted")
    return addresses[0]
