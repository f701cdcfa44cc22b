"""A small HTTP client for departments' services: bounded answers, patience with limits, no surprises.

It follows no redirect (the secret would go along), puts no secret into an address, and stops reading an answer that
is too large or too slow. What may pass by waiting is tried again, after as long as the service asks for, within reason.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import requests
import tenacity
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError

from connectors.limits import Limits
from connectors.throttle import Throttle
from hub.errors import (
    HostileInput,
    RetrySource,
    SchemaMismatch,
    SourceTrouble,
    SourceUnreachable,
    StopSource,
    StreamMissing,
    TruncatedUnit,
    WrongCredentials,
)

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_CONNECT = 10.0
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer, read whole."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait and how often to try, from a stream's options."""

    timeout: float = 30
    deadline: float = 120
    attempts: int = 5
    backoff: float = 1
    longest_wait: float = 120

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Patience:
        """Return what a stream's options say."""
        named = ("timeout", "deadline", "attempts", "backoff", "longest_wait")
        return cls(**{name: options[name] for name in named if name in options})


class Secret(requests.auth.AuthBase):
    """Puts the connection's secret into a header of each request, and nowhere else."""

    def __init__(self, url: SplitResult, declared: Mapping[str, Any]) -> None:
        user, password = unquote(url.username or ""), unquote(url.password or "")
        default = "basic" if user and password else "bearer" if user or password else "none"
        self.style = declared.get("style", default)
        self.user, self.secret, self.name = user, password or user, declared.get("name", "Authorization")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header to a request."""
        if self.style == "basic":
            request.headers["Authorization"] = "Basic " + b64encode(f"{self.user}:{self.secret}".encode()).decode()
        elif self.style == "bearer":
            request.headers["Authorization"] = f"Bearer {self.secret}"
        elif self.style == "header":
            request.headers[self.name] = self.secret
        return request


class Client:
    """Asks one service, over and over where waiting may help, and bounds what it answers."""

    def __init__(
        self,
        url: str,
        options: Mapping[str, Any],
        *,
        source: str,
        stream: str,
        sleep: Callable[[float], None] = time.sleep,
        throttle: Throttle | None = None,
    ) -> None:
        self.source, self.stream, self.sleep = source, stream, sleep
        self.throttle = throttle or Throttle(None)
        self.limits, self.patience = Limits.of(options), Patience.of(options)
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise self._trouble(StopSource, "the connection is no address of a service", known="http://, https://")
        if parts.query or parts.fragment:
            raise self._trouble(
                StopSource, "the connection's address has parameters", hint="Write a token as https://:TOKEN@host/path."
            )
        host = parts.netloc.rpartition("@")[2]
        self.base = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        self.origin = (parts.scheme, host)
        self.session = requests.Session()
        self.session.auth = Secret(parts, options.get("auth", {}))
        self.session.headers.update({"Accept": "application/json", "User-Agent": "approval-exchange-hub"})
        self.session.headers.update(options.get("headers", {}))
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, HTTPAdapter(max_retries=0))

    def close(self) -> None:
        """Close the connections."""
        self.session.close()

    def get(self, path: str, params: Mapping[str, Any], accept: Callable[[Answer], Any]) -> Any:
        """Get `path` and return what `accept` makes of the answer; both are tried again where waiting may help.

        Raises:
            SourceTrouble: the service cannot be reached, refuses us, or answers what cannot be read.
        """
        return self._tried(lambda: accept(self._once("GET", path, params=dict(params))))

    def post(self, path: str, message: bytes, headers: Mapping[str, str], accept: Callable[[Answer], Any]) -> Any:
        """Post a message to `path` and return what `accept` makes of the answer; tried again as `get` is.

        Raises:
            SourceTrouble: the service cannot be reached, refuses us, or answers what cannot be read.
        """
        return self._tried(lambda: accept(self._once("POST", path, data=message, headers=dict(headers))))

    def _tried(self, once: Callable[[], Any]) -> Any:
        patience = self.patience
        tries = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(patience.attempts),
            retry=tenacity.retry_if_exception(self._passes),
            wait=self._wait,
            sleep=self.sleep,
            reraise=True,
        )
        return tries(once)

    def url(self, path: str) -> str:
        """Return the address of a path below the connection's, or of a link of the same origin.

        Raises:
            HostileInput: a link leads to another host, where our secret would go.
        """
        if "://" not in path:
            return f"{self.base}/{path.lstrip('/')}"
        parts = urlsplit(path)
        if (parts.scheme, parts.netloc) != self.origin:
            raise self._trouble(HostileInput, "a link leads to another host", known=self.origin[1])
        return path

    def _once(self, method: str, path: str, **asked: Any) -> Answer:
        url = self.url(path)
        self.throttle.take()
        began = time.monotonic()
        shown = urlsplit(url).path
        try:
            with self.session.request(
                method, url, **asked, stream=True, allow_redirects=False, timeout=(_CONNECT, self.patience.timeout)
            ) as response:
                self._judge(response, shown)
                return Answer(shown, response.headers, self._body(response, shown, began))
        except requests.exceptions.SSLError as error:
            raise self._trouble(
                StopSource, "the service's certificate is not accepted", shown,
                hint="Set REQUESTS_CA_BUNDLE to the certificates of the authority that signed it.",
            ) from error  # fmt: skip
        except requests.exceptions.ConnectionError as error:
            raise self._unconnected(error, shown) from error
        except requests.exceptions.Timeout as error:
            raise self._trouble(RetrySource, f"no answer within {self.patience.timeout:g} s", shown) from error
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
            raise self._trouble(RetrySource, "the answer broke off before its end", shown) from error
        except requests.exceptions.RequestException as error:
            raise self._trouble(StopSource, f"the request failed ({type(error).__name__})", shown) from error

    def _unconnected(self, error: requests.exceptions.ConnectionError, shown: str) -> SourceTrouble:
        reason = getattr(error.args[0], "reason", None) if error.args else None
        if isinstance(reason, NewConnectionError) or isinstance(error, requests.exceptions.ConnectTimeout):
            return self._trouble(SourceUnreachable, f"nothing answers at {self.origin[1]}", shown)
        return self._trouble(RetrySource, "the connection broke off", shown)

    def _body(self, response: requests.Response, shown: str, began: float) -> bytes:
        """Read an answer; one that drips is given up when its time is over, even where no chunk of it ever fills."""
        end = began + self.patience.deadline
        watch = threading.Timer(max(0.0, end - time.monotonic()), _hang_up, (response,))
        watch.daemon = True
        watch.start()
        try:
            body = self._read(response, shown)
        except requests.exceptions.RequestException:
            if time.monotonic() < end:
                raise
            body = b""
        finally:
            watch.cancel()
        if time.monotonic() >= end:
            raise self._trouble(RetrySource, f"the answer took more than {self.patience.deadline:g} s", shown)
        return body

    def _read(self, response: requests.Response, shown: str) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > self.limits.body_bytes:
                raise self._trouble(
                    HostileInput,
                    f"the answer has more than {self.limits.body_bytes:,} bytes",
                    shown,
                    known="`body_bytes`",
                )
        return bytes(body)

    def _judge(self, response: requests.Response, shown: str) -> None:
        status = response.status_code
        if status == requests.codes.ok:
            return
        if status in _AGAIN:
            error = RetrySource(
                source=self.source, stream=self.stream, unit=shown, got=f"the service answered {status}",
                after_seconds=_asked_wait(response.headers.get("Retry-After")),
            )  # fmt: skip
            raise error
        if status in {401, 403, 407}:
            raise self._trouble(WrongCredentials, f"the service answered {status}", shown)
        if status in {404, 410}:
            raise self._trouble(StreamMissing, f"the service answered {status}", shown)
        if response.is_redirect or status in range(300, 400):
            raise self._trouble(
                SourceUnreachable, f"the service answered {status} and points elsewhere", shown,
                hint="Ask the department for the service's own address and set it in the connection.",
            )  # fmt: skip
        kind = SchemaMismatch if status in {400, 405, 406, 422} else StopSource
        hint = "Compare `params`, `paging` and `since` with the service's manual." if kind is SchemaMismatch else ""
        raise self._trouble(kind, f"the service answered {status}", shown, hint=hint)

    def _passes(self, error: BaseException) -> bool:
        """Say whether a trouble may pass by waiting as long as we are willing to."""
        if isinstance(error, RetrySource):
            return (error.after_seconds or 0) <= self.patience.longest_wait
        return isinstance(error, SourceUnreachable | TruncatedUnit) and "elsewhere" not in str(error)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = getattr(error, "after_seconds", None)
        if asked is not None:
            return float(asked)
        delay = self.patience.backoff * 2 ** (state.attempt_number - 1) * random.uniform(1, 1.25)  # noqa: S311  # no secret
        return float(min(delay, self.patience.longest_wait))

    def _trouble(
        self, kind: type[SourceTrouble], got: str, unit: str | None = None, *, known: str = "", hint: str = ""
    ) -> SourceTrouble:
        return kind(source=self.source, stream=self.stream, unit=unit, got=got, known=known, hint=hint)


def _hang_up(response: requests.Response) -> None:
    """End what is being read in another thread; it may have ended by itself."""
    with contextlib.suppress(ValueError, RuntimeError, OSError):
        response.raw.shutdown()


def _asked_wait(value: str | None) -> float | None:
    """Read Retry-After: seconds, or a date (RFC 9110, 10.2.3); None where it is absent or unreadable."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


__all__ = ["Answer", "Client", "Patience", "Secret"]
