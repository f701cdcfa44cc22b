"""The daily balance of the log, and what departments sign under it.

The balance of a day is told to each organ: the last head that was sealed on it, how many entries its seals hold, and
how many of them are the organ's own, by kind. Which seals are a day's follows from when they were sealed, so that a
balance never changes. An organ compares with what it knows of itself, and countersigns by a key of its own: `agrees`,
or `differs`. From then on a log that was written anew contradicts a signature that the hub cannot make.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import orjson
import sqlalchemy as sa
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from hub.refusals import Fault, Malformed, NotFound
from hub.workdays import ZONE, local_day
from sharedrepo.keyring.signing import ALGORITHM, BadSignature, opened
from verification.rights.access import AccessRefused

KIND: Final = "hub-countersignature+jws"
VERDICTS: Final = ("agrees", "differs")
CLOSES_AFTER: Final = timedelta(minutes=10)
"""So long after midnight a day is closed: a seal that was begun before is written by then."""
KINDS: Final = ("credential", "prerequisites", "read", "refused")
_FIRST_DAY: Final = date(2000, 1, 1)

_DAYS = """
SELECT (sealed_at AT TIME ZONE 'Asia/Shanghai')::date AS day, min(number) AS first, max(number) AS last,
    sum(entries)::bigint AS entries
FROM audit.seal WHERE sealed_at >= :begins AND sealed_at < :ends GROUP BY 1 ORDER BY 1 LIMIT :limit
"""
_HEAD = "SELECT encode(head, 'hex') AS head, total, through_tx FROM audit.seal WHERE number = :number"
_OWN = (
    """SELECT kind, count(*) AS n FROM audit.entry WHERE tx >= :first AND tx < :end AND organ = :organ GROUP BY kind"""
)
_SIGNED = """SELECT day, verdict FROM audit.countersignature WHERE organ = :organ AND day BETWEEN :first AND :last
             ORDER BY countersignature_id"""


# --- keys of organs ---


def enter_key(engine: sa.Engine, *, organ: str, jwk: Mapping[str, Any], actor: str) -> str:
    """Enter the public key of an organ; return its name, which is its thumbprint (RFC 7638).

    Raises:
        AccessRefused: it is no public Ed25519 key, or was entered before.
    """
    try:
        key = OKPKey.import_key({name: str(jwk[name]) for name in ("kty", "crv", "x")})
    except (JoseError, KeyError, ValueError, TypeError):
        raise AccessRefused("this is no JWK of kty OKP (RFC 8037).") from None
    if jwk.get("crv") != "Ed25519" or "d" in jwk:
        raise AccessRefused("a public key of curve Ed25519 is needed; a private one stays with the organ.")
    kid = key.thumbprint()
    public = {**key.as_dict(private=False), "kid": kid, "alg": ALGORITHM, "use": "sig"}
    with engine.begin() as connection:
        done = connection.execute(
            sa.text("""INSERT INTO access.organ_key (kid, organ, jwk, set_by)
                       VALUES (:kid, :organ, CAST(:jwk AS jsonb), :actor) ON CONFLICT DO NOTHING"""),
            {"kid": kid, "organ": organ, "jwk": orjson.dumps(public).decode(), "actor": actor},
        )
    if not done.rowcount:
        raise AccessRefused(f"key {kid} was entered before.")
    return kid


def end_key(engine: sa.Engine, kid: str) -> None:
    """Take no further signatures by a key; those that it made stay proven by it.

    Raises:
        AccessRefused: there is no such key in use.
    """
    with engine.begin() as connection:
        done = connection.execute(
            sa.text("UPDATE access.organ_key SET ended_at = now() WHERE kid = :kid AND ended_at IS NULL"), {"kid": kid}
        )
    if not done.rowcount:
        raise AccessRefused(f"no key {kid!r} is in use.")


# --- balances ---


def told(
    engine: sa.Engine, organ: str, *, after: date | None = None, limit: int = 31, now: datetime | None = None
) -> list[dict[str, Any]]:
    """Return the balances of closed days for an organ, by day; `countersigned` is what it last said of each."""
    closed = local_day((now or datetime.now(UTC)) - CLOSES_AFTER)
    first = (after or _FIRST_DAY) + timedelta(days=1)
    with engine.connect() as connection:
        days = connection.execute(
            sa.text(_DAYS), {"begins": _midnight(first), "ends": _midnight(closed), "limit": limit}
        ).all()
        balances = [_balance(connection, organ, *row) for row in days]
        asked = {"organ": organ, "first": first, "last": closed}
        said = {row.day.isoformat(): row.verdict for row in connection.execute(sa.text(_SIGNED), asked)}
    return [{"balance": one, "countersigned": said.get(one["day"])} for one in balances]


def _balance(connection: sa.Connection, organ: str, day: date, first: int, last: int, entries: int) -> dict[str, Any]:
    before = connection.execute(sa.text(_HEAD), {"number": first - 1}).first()
    head = connection.execute(sa.text(_HEAD), {"number": last}).one()
    own = connection.execute(
        sa.text(_OWN), {"first": 0 if before is None else before.through_tx, "end": head.through_tx, "organ": organ}
    )
    counts = {row.kind: int(row.n) for row in own}
    return {
        "day": day.isoformat(), "organ": organ, "number": last, "head": head.head, "total": head.total,
        "entries": entries, "own": {kind: counts.get(kind, 0) for kind in KINDS},
    }  # fmt: skip


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)


def countersign(engine: sa.Engine, organ: str, day: date, jws: str, *, now: datetime | None = None) -> str:
    """Take an organ's signature under a balance; return its verdict. The same one twice is one.

    Raises:
        NotFound: the day is not closed, or nothing was sealed on it.
        Malformed: the signature is not by a key of this organ that is in use, or not under this balance.
    """
    found = told(engine, organ, after=day - timedelta(days=1), limit=1, now=now)
    if not found or found[0]["balance"]["day"] != day.isoformat():
        raise NotFound("there is no balance of this day", hint="GET /v1/audit/balances lists the days.")
    with engine.begin() as connection:
        try:
            claims = opened(jws, _keys(connection, organ, live=True), KIND)
        except BadSignature as error:
            raise _unfit(f"{error}: enter your key at the hub's operators", "bad_signature") from None
        verdict = claims.get("verdict")
        if verdict not in VERDICTS:
            raise _unfit(f"verdict is none of {', '.join(VERDICTS)}", "bad_verdict")
        if claims.get("balance") != found[0]["balance"]:
            raise _unfit("what was signed is not the balance of this day", "another_balance")
        connection.execute(
            sa.text("""INSERT INTO audit.countersignature (organ, day, head_number, verdict, jws)
                       VALUES (:organ, :day, :number, :verdict, :jws) ON CONFLICT DO NOTHING"""),
            {"organ": organ, "day": day, "number": claims["balance"]["number"], "verdict": verdict, "jws": jws},
        )
    return str(verdict)


def _unfit(said: str, code: str) -> Malformed:
    return Malformed("the countersignature is not taken", hint="Mend it.", faults=[Fault("jws", code, said)])


def _keys(connection: sa.Connection, organ: str, *, live: bool) -> dict[str, Any]:
    query = f"SELECT jwk FROM access.organ_key WHERE organ = :organ {'AND ended_at IS NULL' if live else ''}"
    return {"keys": [row.jwk for row in connection.execute(sa.text(query), {"organ": organ})]}


# --- for the operators and who verifies ---


def listed(engine: sa.Engine, *, days: int = 31, now: datetime | None = None) -> list[dict[str, Any]]:
    """Return, for each closed day, which organs that checked agreed, differed, or have not signed."""
    closed = local_day((now or datetime.now(UTC)) - CLOSES_AFTER)
    query = """
    WITH asked AS (
        SELECT DISTINCT (s.sealed_at AT TIME ZONE 'Asia/Shanghai')::date AS day, e.organ
        FROM audit.seal AS s JOIN audit.entry AS e ON e.tx < s.through_tx AND e.tx >= coalesce(
            (SELECT p.through_tx FROM audit.seal AS p WHERE p.number = s.number - 1), 0)
        WHERE s.sealed_at >= :begins AND s.sealed_at < :ends AND e.organ IS NOT NULL
    )
    SELECT a.day, a.organ, (SELECT c.verdict FROM audit.countersignature AS c WHERE c.organ = a.organ AND c.day = a.day
                            ORDER BY c.countersignature_id DESC LIMIT 1) AS verdict
    FROM asked AS a ORDER BY a.day DESC, a.organ
    """
    asked = {"begins": _midnight(closed - timedelta(days=days)), "ends": _midnight(closed)}
    with engine.connect() as connection:
        rows = connection.execute(sa.text(query), asked).mappings()
        return [{"day": row["day"].isoformat(), "organ": row["organ"], "verdict": row["verdict"]} for row in rows]


def faults(engine: sa.Engine) -> Iterator[str]:
    """Compare every countersignature with the log as it is; yield what contradicts it."""
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text("""SELECT c.organ, c.day, c.head_number, c.jws, encode(s.head, 'hex') AS head, s.total
                       FROM audit.countersignature AS c LEFT JOIN audit.seal AS s ON s.number = c.head_number
                       ORDER BY c.countersignature_id""")
        ).all()
        keys = {organ: _keys(connection, organ, live=False) for organ in {row.organ for row in rows}}
    for row in rows:
        place = f"the countersignature of {row.organ} for {row.day}"
        try:
            balance = opened(row.jws, keys[row.organ], KIND)["balance"]
        except BadSignature as error:
            yield f"{place}: {error}"
            continue
        if row.head is None:
            yield f"{place} is under seal {row.head_number}, which is gone: the log's tail was cut off"
        elif (balance["number"], balance["head"], balance["total"]) != (row.head_number, row.head, row.total):
            yield f"{place}: seal {row.head_number} is another one than the one that was signed"
