"""Turns what database drivers raise into errors that say what to do; decided by error code where there is one."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.exc import DBAPIError, NoSuchTableError

from hub.errors import (
    RetrySource,
    SchemaMismatch,
    SourceTrouble,
    SourceUnreachable,
    StopSource,
    StreamMissing,
    WrongCredentials,
    WrongEncoding,
)

Kind = type[SourceTrouble]

_GRANT = (
    "Ask the department to grant SELECT on it to the hub's account; of an exchange table also UPDATE of the columns"
    " that the hub writes."
)
_POSTGRES: tuple[tuple[str, Kind], ...] = (  # PostgreSQL, appendix A; the first prefix that fits
    ("28", WrongCredentials),
    ("42501", WrongCredentials),
    ("3D000", SourceUnreachable),
    ("3F000", StreamMissing),
    ("42P01", StreamMissing),
    ("42703", SchemaMismatch),
    ("08", RetrySource),
    ("40", RetrySource),
    ("53", RetrySource),
    ("55P03", RetrySource),
    ("57", RetrySource),
    ("58", RetrySource),
    ("22021", WrongEncoding),
    ("22P05", WrongEncoding),
)
_MYSQL: dict[int, Kind] = {
    **dict.fromkeys((1044, 1045, 1142, 1143, 1698, 1820), WrongCredentials),
    **dict.fromkeys((1049, 2002, 2003, 2005), SourceUnreachable),
    **dict.fromkeys((1146,), StreamMissing),
    **dict.fromkeys((1054,), SchemaMismatch),
    **dict.fromkeys((1040, 1053, 1203, 1205, 1213, 1317, 1927, 1969, 2006, 2013, 2014, 3024), RetrySource),
}
_WORDS: tuple[tuple[str, Kind], ...] = (  # drivers that give no code: libpq while connecting, SQLite
    (
        r"password authentication failed|no password supplied|role .* does not exist|no pg_hba\.conf entry",
        WrongCredentials,
    ),
    (r"the database system is|too many (clients|connections)|remaining connection slots", RetrySource),
    (r"server closed the connection|connection (was )?(terminated|lost|reset)|terminating connection", RetrySource),
    (
        r"SSL connection has been closed|could not receive data|connection already closed|cursor already closed",
        RetrySource,
    ),
    (r"is locked|is busy", RetrySource),
    (r"no such table", StreamMissing),
    (r"no such column", SchemaMismatch),
    (
        r"[Cc]onnection refused|could not translate host|timeout expired|timed out|[Nn]o route|unreachable",
        SourceUnreachable,
    ),
    (r"database .* does not exist|unable to open database file|No such file or directory", SourceUnreachable),
)
_SHOWN = 300
_QUOTED = re.compile(r"'.*'|\".*\"|“.*”", re.DOTALL)


def trouble(error: BaseException, *, source: str, stream: str | None, known: str = "") -> SourceTrouble:
    """Return the typed error of what a driver raised."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(cause, NoSuchTableError):
        return StreamMissing(source=source, stream=stream, got=f"there is no table or view {cause}", known=known)
    if isinstance(cause, UnicodeDecodeError):
        return WrongEncoding(source=source, stream=stream, got=f"the database sent bytes that are not {cause.encoding}")
    kind, code = _kind(cause), _code(cause)
    hint = _GRANT if str(code) in {"42501", "1142", "1143"} else ""
    return kind(source=source, stream=stream, got=_say(cause, code), known=known, hint=hint)


def _code(cause: BaseException) -> str | int | None:
    code: Any = getattr(cause, "pgcode", None)
    if code is None and cause.args and isinstance(cause.args[0], int):
        code = cause.args[0]
    return code if isinstance(code, str | int) else None


def _kind(cause: BaseException) -> Kind:
    code = _code(cause)
    if isinstance(code, str):
        return next((kind for prefix, kind in _POSTGRES if code.startswith(prefix)), StopSource)
    if isinstance(code, int) and code in _MYSQL:
        return _MYSQL[code]
    words = str(cause)
    found = next((kind for pattern, kind in _WORDS if re.search(pattern, words)), None)
    if found is not None:
        return found
    return RetrySource if type(cause).__name__ in {"OperationalError", "InterfaceError"} else StopSource


def _quotes_values(code: str | int | None) -> bool:
    """Say whether a message of this code may quote a value: a person's must not come through. Others quote names."""
    if isinstance(code, str):
        return code.startswith(("22", "23", "P0"))  # data, constraints, and what the department's functions raise
    return isinstance(code, int) and code not in _MYSQL


def _say(cause: BaseException, code: str | int | None) -> str:
    """Quote the driver's first line: what follows it may repeat a statement with its values."""
    text = str(cause.args[1]) if isinstance(code, int) and len(cause.args) > 1 else str(cause)
    line = (text.strip().splitlines() or [type(cause).__name__])[0].strip().rstrip(".")
    if _quotes_values(code):
        line = _QUOTED.sub("***", line)
    line = line[:_SHOWN] + ("…" if len(line) > _SHOWN else "")
    return f"{line} (error {code})" if code else line
