"""Turns what the AMQP client raises into errors that say what to do; the address and the password stand in none."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

from pika import exceptions as amqp  # type: ignore[import-untyped]  # pika has types, but does not say that it has
from pika.adapters.utils.connection_workflow import (  # type: ignore[import-untyped]  # see above
    AMQPConnectionWorkflowFailed,
    AMQPConnectorException,
    AMQPConnectorPhaseErrorBase,
)

from hub.errors import RetrySource, SourceTrouble, SourceUnreachable, StopSource, StreamMissing, WrongCredentials

RAISED = (amqp.AMQPError, AMQPConnectorException, amqp.ChannelError, OSError)
"""What the client raises when the broker, the network or the way between them fails."""

_GONE, _REFUSED, _LOCKED, _FAILED, _NO_VHOST = 404, 403, 405, 406, 530
"""Reply codes of AMQP 0-9-1."""
_RIGHTS = "Ask the department for the rights that docs/integrate/kinds/queue.md lists."
NAMES = "The department declares its queues itself; compare their names with `options` in source.yml."
_AGAIN = "Messages that were not acknowledged come again, and those that are committed count as unchanged."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a trouble happened: enough to word an error."""

    source: str
    stream: str | None = None
    queue: str | None = None

    @property
    def named(self) -> str:
        """Name the queue as a message shows it."""
        return f"queue {self.queue!r}" if self.queue else "the broker"

    def error(self, kind: type[SourceTrouble], got: str, hint: str = "") -> SourceTrouble:
        """Return an error of this place."""
        return kind(source=self.source, stream=self.stream, got=got, hint=hint)


def trouble(error: BaseException, place: Place) -> SourceTrouble:
    """Return the typed error of what the client raised."""
    cause = _innermost(error)
    if isinstance(cause, amqp.ChannelClosedByBroker):
        return _channel(cause.reply_code, place)
    if isinstance(cause, amqp.ConnectionClosedByBroker):
        return _connection(cause.reply_code, place)
    if isinstance(cause, amqp.ProbableAccessDeniedError):
        return _virtual_host(str(cause), place)
    found = next((words for kinds, words in _WORDS if isinstance(cause, kinds)), None)
    return place.error(*(found or (RetrySource, f"the connection broke off ({type(cause).__name__})", _AGAIN)))


def unusable_url(error: Exception, source: str) -> StopSource:
    """Return the error of an address that cannot be read; what stands in it is not shown."""
    return StopSource(
        source=source, got=f"the connection's URL cannot be used ({type(error).__name__})", known="amqp://, amqps://",
        hint="Write it as amqps://user:password@host:5671/vhost, special characters %-quoted (the vhost / is %2F).",
    )  # fmt: skip


def _innermost(error: BaseException) -> BaseException:
    """Return what lies below the client's own wrappers."""
    while True:
        if isinstance(error, AMQPConnectorPhaseErrorBase):
            error = error.exception
        elif isinstance(error, AMQPConnectionWorkflowFailed) and error.exceptions:
            error = error.exceptions[-1]
        elif type(error) is amqp.AMQPConnectionError and error.args and isinstance(error.args[0], BaseException):
            error = error.args[0]
        else:
            return error


def _channel(code: int, place: Place) -> SourceTrouble:
    """Word why the broker closed the channel."""
    if code == _GONE:
        return place.error(StreamMissing, f"there is no {place.named}", NAMES)
    if code == _REFUSED:
        return place.error(WrongCredentials, f"the account may not use {place.named}", _RIGHTS)
    if code == _LOCKED:
        return place.error(
            StopSource, f"{place.named} belongs to another program alone", "Ask for a queue that is not exclusive."
        )
    late = "Perhaps a message was not acknowledged within the broker's `consumer_timeout`. " if code == _FAILED else ""
    return place.error(RetrySource, f"the broker closed the channel of {place.named} ({code})", late + _AGAIN)


def _connection(code: int, place: Place) -> SourceTrouble:
    """Word why the broker closed the connection."""
    if code == _REFUSED:
        return place.error(WrongCredentials, "the broker refuses the account's name or password")
    if code == _NO_VHOST:
        return _virtual_host(f"({code})", place)
    return place.error(RetrySource, f"the broker closed the connection ({code})", _AGAIN)


def _virtual_host(said: str, place: Place) -> SourceTrouble:
    """Word why the broker lets nobody into the virtual host; what the client only guesses is tried again."""
    if f"({_NO_VHOST})" not in said:
        return place.error(RetrySource, "the broker broke off while the connection came up")
    if "not found" in said:
        return place.error(SourceUnreachable, "the broker has no such virtual host", _VHOST)
    return place.error(WrongCredentials, "the account may not enter the broker's virtual host", _VHOST)


_VHOST = "Compare the last part of the connection's URL with the department's virtual host (/ is %2F)."
_TLS = "Use amqps:// where the broker speaks TLS, with a certificate that this machine trusts for the broker's name."
_WORDS: tuple[tuple[tuple[type[BaseException], ...], tuple[type[SourceTrouble], str, str]], ...] = (
    (
        (amqp.AuthenticationError, amqp.ProbableAuthenticationError),
        (WrongCredentials, "the broker refuses the account's name or password", ""),
    ),
    ((ssl.SSLError,), (SourceUnreachable, "no safe connection comes about", _TLS)),
    ((socket.gaierror,), (SourceUnreachable, "the broker's name is not known", "")),
    ((ConnectionRefusedError,), (SourceUnreachable, "nothing answers at the broker's address", "")),
    (
        (amqp.IncompatibleProtocolError, amqp.ProtocolSyntaxError),
        (SourceUnreachable, "what answers there is no broker of AMQP 0-9-1", _TLS),
    ),
    (
        (AMQPConnectorException, TimeoutError),
        (SourceUnreachable, "the broker did not answer in time", ""),
    ),
)
