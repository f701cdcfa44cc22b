"""Checks of the connection: it works, a wrong password fails as declared, and the system is as declared."""

from __future__ import annotations

import dataclasses
from urllib.parse import quote, urlsplit, urlunsplit

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from connectors.kinds.queue.options import QueueOptions
from connectors.seam import DiscoveredStream, fields_of
from hub.errors import HubError, SourceTrouble, WrongCredentials
from kit.compare import differences
from kit.look import first, slices
from kit.suite.result import Check, Result, cannot, failed, passed
from kit.suite.stand import Stand, refusal

WRONG = "wrong-on-purpose"
_LOOKED = 200
"""So many messages of a queue are looked at for their fields."""


def check_succeeds(stand: Stand) -> Result:
    """Run the connector's own check."""
    report = stand.connect().check()
    bad = [f"{one.stream or 'connection'}: {one.message} {one.hint}".strip() for one in report.items if not one.ok]
    if bad:
        return failed("; ".join(bad))
    return passed(f"{len(report.items)} things were tried and are well{_where(stand)}")


def _where(stand: Stand) -> str:
    return " (in a system made of the examples)" if stand.there.made_of_samples else ""


def wrong_password(stand: Stand) -> Result:
    """Knock once with a wrong password: it must be refused, by the error that says so, without showing the password."""
    url = with_wrong_password(stand.there.url)
    if url is None:
        return cannot("this connection has no password")
    stream = next(iter(stand.there.source.streams.values()))
    try:
        list(slices(stand.connect(url=url), stream, {}, size=1, full=False, most=1))
    except WrongCredentials as error:
        if WRONG in str(error):
            return failed("the error shows the password that was tried: take it out of the connector's words")
        return passed(f"a wrong password ends in WrongCredentials{_where(stand)}")
    except HubError as error:
        return failed(f"a wrong password ends in {type(error).__name__}, not WrongCredentials: {refusal(error)}")
    return failed("the system lets a wrong password in: ask the department to require one")


def with_wrong_password(url: str) -> str | None:
    """Return the address with another password; None where it has none."""
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"}:
        if not (parts.username or parts.password):
            return None
        user = quote(parts.username, safe="") if parts.username and parts.password else ""
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{user}:{WRONG}@{host}"))
    try:
        made = sa.make_url(url)
    except ArgumentError:
        return None
    if made.password is None:
        return None
    return made.set(password=WRONG).render_as_string(hide_password=False)


def discover_matches(stand: Stand) -> Result:
    """Compare the fields that the system has with the declared ones."""
    try:
        found = _seen(stand)
    except SourceTrouble as error:
        return failed(f"its fields cannot be listed: {refusal(error)}")
    all_ = differences(stand.there.source, dict(stand.ready.mapping.streams), found)
    bad = [one for one in all_ if one.alike is False]
    if bad:
        told = "; ".join(f"{one.stream}: {one.sentence}" for one in bad)
        return failed(f"{told}. `hub connector discover {stand.code}` proposes what to write.")
    sure = [one for one in all_ if one.alike is not None]
    if not sure:
        return cannot("; ".join(dict.fromkeys(one.sentence for one in all_)))
    return passed(f"{len(sure)} of {len(all_)} streams have just the declared fields{_where(stand)}")


def _seen(stand: Stand) -> list[DiscoveredStream]:
    """List what the system has; a broker shows the fields of a queue only in its messages, which are looked at."""
    found = stand.connect().discover()
    if stand.there.source.kind != "queue":
        return found
    of = {QueueOptions.of(spec).queue: spec for spec in stand.there.source.streams.values()}
    looked = {name: fields_of(first(stand.connect(), spec, _LOOKED)) for name, spec in of.items()}
    return [dataclasses.replace(one, fields=looked.get(one.name, one.fields)) for one in found]


CHECKS = (
    Check("check-succeeds", "the connection works and each stream can be read", "system", check_succeeds),
    Check(
        "wrong-password",
        "a wrong password is refused with WrongCredentials and shown nowhere",
        "system",
        wrong_password,
    ),
    Check("discover-matches", "the system has the declared fields and no others", "system", discover_matches),
)
