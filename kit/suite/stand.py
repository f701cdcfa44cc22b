"""What the checks work on: a source folder, its examples, and a system to read, real or made of the examples."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from connectors.seam import Connector
from connectors.source import Source
from hub.errors import ConfigError, Fault, HubError
from hub.records import Record
from hub.settings import SettingError, Settings
from kit.samples import Samples, read_samples
from kit.subject import Subject, find, folder_of
from kit.suite import standins

MOST = 20_000
"""So many records of a stream are read at most, unless somebody asks for more: a real system may hold millions."""


@dataclass(frozen=True, slots=True)
class System:
    """A system that can be read; `add` puts a record into one that was made of examples. `source` reads it."""

    source: Source
    url: str
    made_of_samples: bool = False
    add: Callable[[str, Record], None] | None = None


@dataclass(slots=True)
class Stand:
    """One source as the suite sees it. Without a readable folder there is no subject; without a system, the reason."""

    code: str
    folder: Path
    subject: Subject | None = None
    faults: tuple[Fault, ...] = ()
    samples: Samples = field(default_factory=Samples)
    system: System | None = None
    no_system: str = ""
    most: int = MOST

    @property
    def ready(self) -> Subject:
        """Return the subject; only checks that were given one ask."""
        assert self.subject is not None  # noqa: S101  # `run` skips the check where there is none
        return self.subject

    @property
    def there(self) -> System:
        """Return the system; only checks that were given one ask."""
        assert self.system is not None  # noqa: S101  # `run` skips the check where there is none
        return self.system

    def connect(self, *, url: str | None = None, source: Source | None = None) -> Connector:
        """Open the system's connector, or one at another address."""
        subject = dataclasses.replace(self.ready, source=source or self.there.source)
        return subject.connect(lambda _: url or self.there.url)


@contextmanager
def stand_of(code: str, settings: Settings, *, most: int = MOST) -> Iterator[Stand]:
    """Make ready what the checks of one source work on.

    Raises:
        UnknownSource: no source folder has this code or name.
    """
    folder = folder_of(code, settings.sources)
    try:
        source = find(code, settings.sources)
        stand = Stand(code, source.folder, Subject.of(source), samples=read_samples(source), most=most)
    except ConfigError as error:
        if folder is None:
            raise
        stand = Stand(code, folder, faults=error.faults, most=most)
    with ExitStack() as stack:
        if stand.subject is not None:
            _give_system(stand, stand.subject, settings, stack)
        yield stand


def _give_system(stand: Stand, subject: Subject, settings: Settings, stack: ExitStack) -> None:
    """Give the real system where its connection is set, else one made of the examples."""
    source = subject.source
    if source.kind == "push":
        stand.no_system = "departments post to the hub: there is no system that could be read"
        return
    try:
        stand.system = System(source, settings.connection(source.connection))
    except SettingError:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hub-kit-")))
        made = standins.make(subject, stand.samples, place, stack)
        if isinstance(made, str):
            stand.no_system = f"the connection {source.connection!r} is not set, and {made}"
        else:
            stand.system = System(made.source, made.url, made_of_samples=True, add=made.add)


def refusal(error: HubError) -> str:
    """Say a hub error in one line."""
    return " ".join(str(error).split())
