"""SOAP faults as the hub's errors: whose fault it is decides what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lxml import etree

from connectors.kinds.files.where import Where
from connectors.words import plain
from hub.errors import RetrySource, SourceTrouble, StopSource, WrongCredentials
from hub.xmlsafe import XmlFault, parse

ENVELOPES = {
    "http://schemas.xmlsoap.org/soap/envelope/": "1.1",
    "http://www.w3.org/2003/05/soap-envelope": "1.2",
}
"""The namespaces of an envelope, each with its version of SOAP."""

_AUTHENTICATION = frozenset({
    "failedauthentication", "failedcheck", "invalidsecurity", "invalidsecuritytoken", "securitytokenunavailable",
    "unsupportedsecuritytoken", "authentication", "unauthorized", "unauthenticated", "authenticationfailed",
})  # fmt: skip
"""The codes of WS-Security (its section 12) and those that services use instead, in small letters."""
_SHOWN = 120
_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,60}")
_ADDRESS = re.compile(r"(?i)\b[a-z][a-z0-9+.-]*://\S+")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”|‘[^’]*’|「[^」]*」|『[^』]*』|\[[^\]]*\]|【[^】]*】")
_NUMBER = re.compile(r"\d(?:[\s-]?\d){5,}[XxＸ]?")


def fault_in(data: bytes) -> etree._Element | None:
    """Return the fault that an envelope holds; None where there is none or it cannot be read."""
    try:
        root = parse(data).getroot()
    except XmlFault:
        return None
    space = etree.QName(root).namespace
    return root.find(f"{{{space}}}Body/{{{space}}}Fault") if space in ENVELOPES else None


def trouble_of(fault: etree._Element, where: Where, secrets: Iterable[str]) -> SourceTrouble:
    """Return the error of a fault: wrong credentials, our fault (a person must act), or the service's (it may pass)."""
    codes = _codes(fault)
    names = [part.lower() for code in codes for part in code.rpartition(":")[2].split(".")]
    shown = _NUMBER.sub("***", " / ".join(one if _CODE.fullmatch(one) else "unreadable" for one in codes[:3])) or "none"
    reason = plain(_reason(fault), secrets)
    got = f"the service answers a fault, code {shown}" + (f": {reason}" if reason else "")
    if any(name in _AUTHENTICATION for name in names):
        return WrongCredentials(source=where.source, stream=where.stream, unit=where.unit, got=got)
    if names and names[0] in {"server", "receiver"}:
        return RetrySource(
            source=where.source, stream=where.stream, unit=where.unit, got=got,
            hint="The service failed by itself: nothing was kept, the cursor stays, and the next pull tries again. Ask"
            " the department if it stays so.",
        )  # fmt: skip
    return StopSource(
        source=where.source, stream=where.stream, unit=where.unit, got=got,
        hint="The service refuses what we ask: compare `params`, `paging`, `since` and `security` with its manual.",
    )  # fmt: skip


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the first part of words about a WSDL or a question of ours without a secret, an address, or quoted values.

    What a service says of its own is told by `connectors.words.plain`, for it may name anybody.
    """
    for secret in secrets:
        text = text.replace(secret, "***")
    text = _ADDRESS.sub("***", " ".join(text[: 20 * _SHOWN].split()))
    text = _NUMBER.sub("***", _QUOTED.sub("***", text))
    return text if len(text) <= _SHOWN else text[:_SHOWN].rstrip() + "…"


def _codes(fault: etree._Element) -> list[str]:
    """Return a fault's codes, the general one first: those of SOAP 1.2 lie in each other."""
    found = [str(one.text or "").strip() for one in fault.iter("{*}Value", "faultcode", "{*}faultcode")]
    return [code for code in found if code]


def _reason(fault: etree._Element) -> str:
    for path in ("faultstring", "{*}faultstring", "{*}Reason/{*}Text"):
        text = fault.findtext(path)
        if text:
            return text
    return ""
