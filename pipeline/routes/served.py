"""The sources whose posts are taken: one folder that is wrong keeps no other department from posting."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from connectors.kinds.push.options import PushOptions
from connectors.loading import load_sources, source_folders
from connectors.source import Source
from hub.errors import ConfigError
from normalization.mapping import load_mapping
from pipeline.runtime import Runtime

log = logging.getLogger("hub.push")


LOOK_SECONDS = 2.0
"""So long the folders are taken as they were; then the next post looks whether they changed."""


class Served:
    """The sources that post, as their folders say now; a folder that was broken meanwhile is served as it was."""

    def __init__(self, runtime: Runtime, clock: Callable[[], float] = time.monotonic) -> None:
        self._runtime, self._clock = runtime, clock
        self._lock = threading.Lock()
        self._mark = _mark(runtime.settings.sources)
        self._looked = clock()
        self.sources = served_sources(runtime)

    @property
    def due(self) -> bool:
        """Say whether it is time to look again."""
        return self._clock() - self._looked >= LOOK_SECONDS

    def look(self) -> bool:
        """Read the folders again where anything in them has changed; say whether it was so."""
        with self._lock:
            if not self.due:
                return False
            mark = _mark(self._runtime.settings.sources)
            self._looked = self._clock()
            if mark == self._mark:
                return False
            self._mark, before = mark, self.sources
            found = dict(served_sources(self._runtime))
            for code, source in before.items():
                if code not in found and _stands(source):
                    log.error("source %s is served as it was before its folder was changed", code)
                    found[code] = source
            self.sources = found
            return True


def _stands(source: Source) -> bool:
    """Say whether a source's folder is still one that posts, as far as a folder that cannot be read tells it."""
    try:
        return "push" in (source.folder / "source.yml").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _mark(paths: tuple[Path, ...]) -> frozenset[tuple[str, int, int]]:
    """Return what tells one state of the folders from another: each file with its time and size."""
    found = set()
    for folder in source_folders(paths):
        for file in folder.rglob("*"):
            with contextlib.suppress(OSError):
                told = file.stat()
                found.add((str(file), told.st_mtime_ns, told.st_size))
    return frozenset(found)


def served_sources(runtime: Runtime) -> Mapping[str, Source]:
    """Return the sources of kind `push` by code; what is wrong with the others stands in the log."""
    served: dict[str, Source] = {}
    for folder in source_folders(runtime.settings.sources):
        try:
            for source in load_sources([folder]):
                if source.kind != "push":
                    continue
                load_mapping(source.mapping, runtime.documents)
                for stream in source.streams.values():
                    PushOptions.of(source, stream)
                if source.code in served:
                    log.error("source %s is declared twice; the first is served", source.code)
                served.setdefault(source.code, source)
        except (ConfigError, FileNotFoundError) as error:
            log.error("source folder %s is not served: %s", folder.name, error)  # noqa: TRY400  # the words say it all
    log.info("records are taken of %s", ", ".join(sorted(served)) or "no source: none is of kind push")
    return served
