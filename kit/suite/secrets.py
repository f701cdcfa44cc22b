"""Checks that no file of a source folder holds a secret, or a living person's data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from hub.identifiers import resident_id
from kit.suite.result import Check, Result, failed, passed
from kit.suite.stand import Stand

_LARGEST = 20 * 1024 * 1024
_SHOWN = 10
_SECRETS = {
    "an address with a password": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/@:'\"]*:(?P<said>[^\s/@'\"]+)@"),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "a token": re.compile(
        r"\b(?:eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{5,}|AKIA[0-9A-Z]{16}|gh[pousr]_\w{30,}|xox[abprs]-[\w-]{10,})"
    ),
    "a password or token": re.compile(
        r"(?i)\b(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key)[\"']?\s*[:=]\s*[\"']?(?P<said>[^\s\"',}{]{6,})"
    ),
}
_PLACEHOLDER = re.compile(r"[A-Z_]+|<.*>|\{.*\}|\$.*|\*+|…+|〔.*〕")
"""What stands for a secret in an explanation: PASSWORD, <password>, ${PASSWORD}."""
_ID = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])")
_PHONE = re.compile(r"(?<![0-9A-Za-z])1[3-9][0-9]{9}(?![0-9A-Za-z])")


def no_secret(stand: Stand) -> Result:
    """Look for passwords, tokens and keys in every file."""
    found, count = [], 0
    for file, number, line in _lines(stand.folder):
        count += number == 1
        for what, pattern in _SECRETS.items():
            hit = pattern.search(line)
            if hit and not _PLACEHOLDER.fullmatch(hit.groupdict().get("said") or ""):
                found.append(f"{file}:{number} holds what looks like {what}")
                break
    if found:
        return failed(f"{_some(found)}. Take it out, have it changed at the department, and set it in the connection.")
    return passed(f"no secret in {count} files")


def no_person(stand: Stand) -> Result:
    """Look for identity numbers and mobile phones outside examples that are marked as invented."""
    marked = {(one.file, one.line) for one in stand.samples.found if one.invented}
    found, count = [], 0
    for file, number, line in _lines(stand.folder):
        count += number == 1
        if (stand.folder / file, 1 if file.suffix == ".json" else number) in marked:
            continue
        if any(resident_id.fault(hit) is None for hit in _ID.findall(line)):
            found.append(f"{file}:{number} holds an identity number")
        elif _PHONE.search(line):
            found.append(f"{file}:{number} holds a mobile phone number")
    if found:
        return failed(f'{_some(found)}. Take it out; where it is invented, mark the example with "invented": true.')
    return passed(f"no identity number and no mobile phone in {count} files, but for invented ones")


def _some(found: list[str]) -> str:
    return "; ".join(found[:_SHOWN]) + (f" … and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")


def _lines(folder: Path) -> Iterator[tuple[Path, int, str]]:
    """Yield the lines of all text files of the folder; other encodings are read as they can be."""
    for file in sorted(folder.rglob("*")):
        shown = file.relative_to(folder)
        if file.is_symlink() or not file.is_file() or any(part.startswith((".", "__")) for part in shown.parts):
            continue
        if file.stat().st_size > _LARGEST:
            continue
        content = file.read_bytes()
        if b"\0" in content[:4096]:
            continue  # no text; a system's own database, which a test may keep here
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
            yield shown, number, line


CHECKS = (
    Check("no-secret-in-files", "no file holds a password, a token or a private key", "folder", no_secret),
    Check(
        "no-person-in-files", "identity numbers and mobile phones stand only in examples marked as invented", "folder",
        no_person,
    ),
)  # fmt: skip
