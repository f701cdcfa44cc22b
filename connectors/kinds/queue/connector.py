"""The connector of kind `queue`: one RabbitMQ queue a stream, acknowledged when the hub has committed.

A queue keeps where a stream stands: a message lies there until it is acknowledged, and that is done when what became of
its records is committed. So nothing is lost when a pull is killed, and what comes twice is known by its key and order.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace

from connectors.envelopes import Expected
from connectors.kinds.queue.answers import Answer, answer
from connectors.kinds.queue.deliveries import Token, by_message
from connectors.kinds.queue.look import connected, declared, parameters
from connectors.kinds.queue.options import QueueOptions
from connectors.kinds.queue.pull import Pull
from connectors.kinds.queue.session import Session
from connectors.kinds.queue.trouble import Place
from connectors.seam import CheckItem, CheckReport, DiscoveredStream, KeyedHash, Receipt
from connectors.source import Source, StreamSpec
from hub.errors import SourceTrouble
from hub.records import Record, Slice


class QueueConnector:
    """Takes the messages of the declared queues of one broker."""

    def __init__(self, source: Source, url: str, keyed_hash: KeyedHash | None = None) -> None:
        parameters(url, source.code)  # an address that cannot be read is told before anything is tried
        self.source, self._url, self._keyed_hash = source, url, keyed_hash
        self._sessions: dict[str, Session] = {}
        self._looking = False
        # The broker has back what was not acknowledged as soon as nobody can acknowledge it any more.
        weakref.finalize(self, _close_all, self._sessions)

    def read(self, stream: StreamSpec, state: Record, *, slice_size: int, full: bool) -> Iterator[Slice]:
        """Yield what the queue holds; see `connectors.seam.Connector.read`.

        `full` asks for no more than a plain pull: what was acknowledged is no longer there.
        """
        del full
        options = QueueOptions.of(stream)
        if self._looking:
            options = replace(options, stay=0)  # who looks wants what lies there, and does not wait for more
        self._close(stream)
        place = Place(self.source.code, stream.name, options.queue)
        session = Session(self._url, place, options, look_only=self._looking).open()
        self._sessions[stream.name] = session
        most = min(options.messages, options.prefetch) if self._looking else options.messages
        try:
            expected = Expected.of(self.source, stream)
            pull = Pull(stream.name, options, session, dict(state), most, expected, self._keyed_hash)
            yield from pull.slices(slice_size)
            if self._looking:
                session.close()
            else:
                session.finish()
        except BaseException:  # the reader is thrown away with the pull: what it holds is the broker's again
            session.close()
            raise

    def acknowledge(self, stream: StreamSpec, receipts: Sequence[Receipt]) -> None:
        """Acknowledge the messages of which all records are told, and answer them where the stream wants answers.

        Deliveries of a session that is gone are passed over, since the broker delivers them again; their answers are
        sent all the same, because the second delivery will only be unchanged.
        """
        if self._looking:
            return
        options = QueueOptions.of(stream)
        session = self._sessions.get(stream.name)
        name = session.name if session is not None and session.alive else None
        told = [(Token.read(one.token), one) for one in receipts if not one.document]
        if session is not None:
            _settle(session, options, [one for one in told if one[0].session == name])
        lost = [one for one in told if one[0].session != name and not one[0].enveloped]
        answers = [answer(one, options.queue) for one in by_message(lost)]
        answers += [Answer(one.document, one.token) for one in receipts if one.document]
        if options.receipts and answers:
            place = Place(self.source.code, stream.name, options.queue)
            Session(self._url, place, options).tell(answers)

    def only_look(self) -> None:
        """From now on take messages only to look at them: the broker has them back when the reading is over."""
        self._looking = True

    def check(self) -> CheckReport:
        """Connect, and ask for each declared queue without taking anything from it."""
        try:
            with connected(self._url, self.source.code) as connection:
                items = [CheckItem(None, ok=True, message="connected to the broker")]
                for stream in self.source.streams.values():
                    items += [self._check(connection, stream, name) for name in _queues(stream)]
        except SourceTrouble as error:
            return CheckReport(self.source.code, (CheckItem(None, ok=False, message=error.got, hint=str(error)),))
        return CheckReport(self.source.code, tuple(items))

    def _check(self, connection: object, stream: StreamSpec, queue: str) -> CheckItem:
        try:
            ready, takers = declared(connection, Place(self.source.code, stream.name, queue))
        except SourceTrouble as error:
            return CheckItem(stream.name, ok=False, message=error.got, hint=str(error))
        message = f"queue {queue!r}: {ready:,} messages ready"
        if takers and queue == QueueOptions.of(stream).queue:
            message += f"; {takers} others take from it, and what they take the hub does not see"
        return CheckItem(stream.name, ok=True, message=message)

    def discover(self) -> list[DiscoveredStream]:
        """List the declared queues with the number of messages that lie ready.

        AMQP lets nobody list queues, and fields could be seen only by taking messages, which marks them as delivered:
        neither is done here.
        """
        found = []
        with connected(self._url, self.source.code) as connection:
            for stream in self.source.streams.values():
                queue = QueueOptions.of(stream).queue
                ready, _ = declared(connection, Place(self.source.code, stream.name, queue))
                found.append(DiscoveredStream(queue, (), rows=ready, key=stream.key))
        return found

    def _close(self, stream: StreamSpec) -> None:
        before = self._sessions.pop(stream.name, None)
        if before is not None:
            before.close()


def _settle(session: Session, options: QueueOptions, told: Sequence[tuple[Token, Receipt]]) -> None:
    """Answer and acknowledge the messages of a session of which all is told now."""
    settled = session.outstanding.told(told)
    if not settled:
        return
    answers = [answer(one, options.queue) for one in settled if options.receipts and not one.first.enveloped]
    try:
        session.settle([one.first.tag for one in settled], answers)
    except SourceTrouble:
        if answers:  # without answers there is nothing to be sorry for: the broker delivers the messages again
            raise


def _queues(stream: StreamSpec) -> tuple[str, ...]:
    options = QueueOptions.of(stream)
    return (options.queue, *options.others)


def _close_all(sessions: dict[str, Session]) -> None:
    for session in sessions.values():
        session.close()
