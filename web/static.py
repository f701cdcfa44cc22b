"""The files that pages load: our own few, and the charts' program out of its package. A closed list, nothing else."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request, Response

from hub.refusals import NotFound

router = APIRouter(include_in_schema=False)

_HERE = Path(__file__).resolve().parent / "static"
_OWN = {
    "pages.css": "text/css",
    "charts.js": "text/javascript",
    "mark.svg": "image/svg+xml",
    "supervision.css": "text/css",
    "wall.js": "text/javascript",
}
_CHARTS = "bokeh.min.js"
_A_YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _File:
    kind: str
    body: bytes
    packed: bytes
    digest: str


@cache
def _file(name: str) -> _File | None:
    """Read a file of the list, once for as long as the process runs."""
    if name in _OWN:
        body = (_HERE / name).read_bytes()
    elif name == _CHARTS:
        body = files("bokeh").joinpath("server", "static", "js", _CHARTS).read_bytes()
    else:
        return None
    kind = _OWN.get(name, "text/javascript")
    return _File(f"{kind}; charset=utf-8", body, gzip.compress(body, 9, mtime=0), hashlib.sha256(body).hexdigest()[:16])


def address(name: str) -> str:
    """Return the address of a file, which changes with its content.

    Raises:
        KeyError: it is not in the list.
    """
    found = _file(name)
    if found is None:
        raise KeyError(f"no static file {name!r}; there are {', '.join((*_OWN, _CHARTS))}")
    return f"/static/{found.digest}/{name}"


@router.get("/static/{digest}/{name}")
async def static(request: Request, digest: str, name: str) -> Response:
    """Hand out a file of the list, to be kept for a year: another content has another address."""
    found = _file(name) if name in _OWN or name == _CHARTS else None
    if found is None or digest != found.digest:
        raise NotFound("there is no such file", hint="Load the page again.")
    packed = "gzip" in request.headers.get("accept-encoding", "")
    headers = {"Cache-Control": _A_YEAR, "Vary": "Accept-Encoding"} | ({"Content-Encoding": "gzip"} if packed else {})
    return Response(found.packed if packed else found.body, media_type=found.kind, headers=headers)
