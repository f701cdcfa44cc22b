"""Knows a server by its host key: as the connection declares it, or as a known_hosts file does. Never on trust.

`host_key` is one of `SHA256:FINGERPRINT`, `TYPE:SHA256:FINGERPRINT` and `TYPE:BASE64` (the public key itself, as
`ssh-keyscan` prints it); it may stand several times, so that a key can be changed without a gap.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import paramiko

_PRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")


class HostKeyFault(ValueError):
    """What is wrong with a declared host key or a known_hosts file."""


@dataclass(frozen=True, slots=True)
class HostKeys:
    """The keys by which a server is known: pairs of type (empty for any) and fingerprint."""

    known: tuple[tuple[str, str], ...]
    revoked: frozenset[str]
    told: str

    @property
    def types(self) -> tuple[str, ...]:
        """Return the algorithms to ask the server for, so that it shows the key that is known."""
        names = dict.fromkeys(name for name, _ in self.known if name)
        return tuple(one for name in names for one in (_RSA if name == "ssh-rsa" else (name,)))

    @property
    def expected(self) -> str:
        """Say which keys are known."""
        return ", ".join(f"{name} {found}".strip() for name, found in self.known) or "none"

    def accept(self, name: str, fingerprint: str) -> bool:
        """Say whether a server that shows this key is the one."""
        if fingerprint in self.revoked:
            return False
        return any(fingerprint == known and type_ in {"", name} for type_, known in self.known)


def fingerprint_of(key: bytes) -> str:
    """Return the fingerprint of a public key as OpenSSH writes it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def declared(values: Sequence[str]) -> HostKeys:
    """Return the keys that a connection declares.

    Raises:
        HostKeyFault: one is of no known form.
    """
    return HostKeys(tuple(map(_declared, values)), frozenset(), "as declared in the connection")


def _declared(value: str) -> tuple[str, str]:
    name, _, rest = ("", "", value) if value.startswith("SHA256:") else value.partition(":")
    if rest.startswith("SHA256:"):
        rest = rest.rstrip("=")
        if not _PRINT.fullmatch(rest):
            raise HostKeyFault("a fingerprint is `SHA256:` and 43 signs of base64")
        return name, rest
    try:
        key = base64.b64decode(rest, validate=True)
    except binascii.Error:
        key = b""
    if not name or not key[4:].startswith(name.encode()):
        raise HostKeyFault("a host key is `TYPE:BASE64`, `SHA256:FINGERPRINT` or `TYPE:SHA256:FINGERPRINT`")
    return name, fingerprint_of(key)


def from_known_hosts(file: Path, host: str, port: int) -> HostKeys:
    """Return the keys of a host in a known_hosts file, hashed names too; keys marked `@revoked` are never accepted.

    Raises:
        HostKeyFault: the file cannot be read.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise HostKeyFault(f"the known_hosts file cannot be read ({type(error).__name__})") from None
    name = host if port == paramiko.config.SSH_PORT else f"[{host}]:{port}"
    known: list[tuple[str, str]] = []
    revoked: set[str] = set()
    for line in map(str.strip, lines):
        mark, _, rest = line.partition(" ") if line.startswith("@") else ("", "", line)
        if not rest or rest.startswith("#") or mark not in {"", "@revoked"}:
            continue
        found = _entry(rest, name)
        if found is not None and mark:
            revoked.add(found[1])
        elif found is not None:
            known.append(found)
    return HostKeys(tuple(known), frozenset(revoked), "as in the known_hosts file")


def _entry(line: str, host: str) -> tuple[str, str] | None:
    """Return type and fingerprint of a line that speaks about the host."""
    try:
        entry = paramiko.hostkeys.HostKeyEntry.from_line(line)
    except (paramiko.hostkeys.InvalidHostKey, paramiko.SSHException, ValueError):
        return None  # an unreadable line vouches for nobody
    if entry is None or not entry.hostnames or entry.key is None:
        return None
    hosts = paramiko.HostKeys()
    for one in entry.hostnames:
        hosts.add(one, entry.key.get_name(), entry.key)
    if hosts.lookup(host) is None:
        return None
    return entry.key.get_name(), fingerprint_of(entry.key.asbytes())
