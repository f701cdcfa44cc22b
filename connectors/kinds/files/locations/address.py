"""Reads the URL of an SFTP server: `sftp://user:password@host:port/folder?host_key=…`."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from connectors.kinds.files.locations.hostkeys import HostKeyFault, HostKeys, declared, from_known_hosts
from hub.errors import StopSource

_PORT = 22
_TIMEOUT, _LONGEST = 30.0, 600.0
_PARAMETERS = ("host_key", "known_hosts", "key_file", "timeout")


@dataclass(frozen=True, slots=True)
class Address:
    """Where an SFTP server is, who we are there, and by which key it is known."""

    host: str = field(repr=False)
    port: int
    user: str = field(repr=False)
    password: str = field(repr=False)
    key_file: Path | None = field(repr=False)
    folder: str = field(repr=False)
    keys: HostKeys
    timeout: float


class AddressFault(ValueError):
    """What is wrong with the URL; never quotes it."""


def address_of(url: str, source: str) -> Address:
    """Read a connection's URL.

    Raises:
        StopSource: it is not of the form; the message names the part, never its value.
    """
    try:
        return _address(urlsplit(url))
    except (AddressFault, HostKeyFault) as fault:
        got = f"the connection's address: {fault}"
    except ValueError:
        got = "the connection's address: it is no URL"
    raise StopSource(
        source=source, got=got, known="sftp://user:password@host:port/folder?host_key=SHA256:…",
        hint="Mend the connection; signs such as @ and / in a password are written %40 and %2F.",
    )  # fmt: skip


def _address(parts: SplitResult) -> Address:
    given = _parameters(parts.query)
    if not parts.hostname or not parts.username:
        raise AddressFault("it names no host" if not parts.hostname else "it names no user")
    password, key_file = unquote(parts.password or ""), _key_file(given.get("key_file", []))
    if not password and key_file is None:
        raise AddressFault("it has neither a password nor `key_file`")
    port = parts.port or _PORT
    return Address(
        parts.hostname, port, unquote(parts.username), password, key_file, _folder(unquote(parts.path)),
        _keys(given, parts.hostname, port), _timeout(given.get("timeout", [])),
    )  # fmt: skip


def _parameters(query: str) -> dict[str, list[str]]:
    """Split a query by hand: a plus sign is one, for host keys hold them."""
    found: dict[str, list[str]] = {}
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        if name not in _PARAMETERS:
            raise AddressFault(f"it has an unknown parameter (known: {', '.join(_PARAMETERS)})")
        found.setdefault(name, []).append(unquote(value))
    return found


def _folder(path: str) -> str:
    """Return the folder; `/~/x` is x below the user's home, as with curl."""
    if path.startswith("/~"):
        return path[2:].strip("/") or "."
    return path or "/"


def _keys(given: dict[str, list[str]], host: str, port: int) -> HostKeys:
    values, files = given.get("host_key", []), given.get("known_hosts", [])
    if values and files:
        raise AddressFault("it has both `host_key` and `known_hosts`: name one of the two")
    if files:
        return from_known_hosts(Path(files[0]).expanduser(), host, port)
    return declared(values)


def _key_file(values: list[str]) -> Path | None:
    if not values:
        return None
    file = Path(values[0]).expanduser()
    try:
        mode = file.stat().st_mode
    except OSError:
        raise AddressFault("`key_file` names no file that the hub may see") from None
    if stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise AddressFault("`key_file` names a key that others may read: close it by chmod 600")
    return file


def _timeout(values: list[str]) -> float:
    if not values:
        return _TIMEOUT
    try:
        seconds = float(values[0])
    except ValueError:
        seconds = 0
    if not 0 < seconds <= _LONGEST:
        raise AddressFault(f"`timeout` is no number of seconds up to {_LONGEST:.0f}")
    return seconds
