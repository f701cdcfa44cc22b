"""The sources whose posts are taken: one folder that is wrong keeps no other department from posting."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from connectors.kinds.push.options import PushOptions
from connectors.source import Source, load_sources
from hub.errors import ConfigError
from normalization.mapping import load_mapping
from pipeline.runtime import Runtime

log = logging.getLogger("hub.push")


def served_sources(runtime: Runtime) -> Mapping[str, Source]:
    """Return the sources of kind `push` by code; what is wrong with the others stands in the log."""
    served: dict[str, Source] = {}
    for folder in _folders(runtime.settings.sources):
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


def _folders(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        if (path / "source.yml").is_file():
            yield path
        elif path.is_dir():
            yield from sorted(inner for inner in path.iterdir() if (inner / "source.yml").is_file())
