"""Resolves a connection id to a URL: an Airflow Connection of that id, else `HUB_CONN_<ID>`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.settings import Settings

SCHEMES = {"postgres": "postgresql", "generic": "http", "fs": "file"}
"""Airflow's connection types whose URL begins otherwise; every other type is its own scheme."""


def resolver(settings: Settings) -> Callable[[str], str]:
    """Return a function from a connection id to a URL, for `connectors.open`."""

    def resolve(connection_id: str) -> str:
        try:
            return url_of(Connection.get(connection_id))
        except AirflowNotFoundException:
            return settings.connection(connection_id)

    return resolve


def url_of(connection: Any) -> str:
    """Return the URL that an Airflow Connection stands for.

    Its extra field `url` says it whole, for what host and schema cannot say (a folder, a driver's own words);
    else it is put together: type, login, password, host, port, schema, and the extra fields as query.
    """
    extra = dict(connection.extra_dejson or {})
    if whole := extra.pop("url", None):
        return str(whole)
    scheme = SCHEMES.get(connection.conn_type, connection.conn_type)
    host = connection.host or ""
    if "://" in host:  # Airflow's own HTTP connections may write the scheme into the host
        scheme, _, host = host.partition("://")
    elif scheme == "http" and connection.schema == "https":
        scheme = "https"
    path = connection.schema or "" if scheme not in {"http", "https"} else ""
    if scheme == "file":
        path = f"{host}/{path}".strip("/") if path else host.strip("/")
        host = ""
    login = quote(connection.login or "", safe="")
    if connection.password:
        login += ":" + quote(connection.password, safe="")
    place = (f"{login}@" if login else "") + host + (f":{connection.port}" if connection.port else "")
    query = "?" + urlencode(sorted((key, str(value)) for key, value in extra.items())) if extra else ""
    return f"{scheme}://{place}" + (f"/{path}" if path else "") + query
