"""Troubles of single streams: the others are pulled all the same, and the pull ends with what all of them met."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hub.errors import RetrySource, SourceTrouble, SourceUnreachable, StopSource, WrongCredentials

_OF_ALL = (SourceUnreachable, WrongCredentials)
"""Troubles that every stream would meet; a wrong password tried again and again locks an account."""


@dataclass(slots=True)
class Troubles:
    """Gathers what went wrong with the streams of one source."""

    source: str
    met: list[SourceTrouble] = field(default_factory=list)

    def bear(self, pull: Callable[[], None]) -> None:
        """Pull one stream; its trouble waits until the others are pulled.

        Raises:
            SourceTrouble: a trouble that the others would meet too.
        """
        try:
            pull()
        except _OF_ALL as trouble:
            self.met.append(trouble)
            self.tell()
        except SourceTrouble as trouble:
            self.met.append(trouble)

    def tell(self) -> None:
        """Raise what was met, if anything was.

        Raises:
            SourceTrouble: the one trouble as it came; of several, a `RetrySource` if waiting may help all of them, else
                a `StopSource`.
        """
        if not self.met:
            return
        if len(self.met) == 1:
            raise self.met[0]
        got = f"{len(self.met)} streams: " + "; ".join(f"{one.stream or 'all'}: {one.got}" for one in self.met)
        hint = " ".join(dict.fromkeys(one.hint or one.next_step for one in self.met))
        waits = [one for one in self.met if isinstance(one, RetrySource)]
        if len(waits) == len(self.met):
            pauses = [one.after_seconds for one in waits if one.after_seconds is not None]
            raise RetrySource(after_seconds=max(pauses, default=None), source=self.source, got=got, hint=hint)
        raise StopSource(source=self.source, got=got, hint=hint) from self.met[0]
