"""The `hub` command in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.settings import Settings


def environment(settings: Settings) -> dict[str, str]:
    assert settings.database_url is not None
    assert settings.keys is not None
    return {
        **os.environ,
        "HUB_HOME": str(settings.home),
        "HUB_DATABASE_URL": settings.database_url.get_secret_value(),
        "HUB_KEYS": settings.keys.get_secret_value(),
        "HUB_SOURCES": os.pathsep.join(map(str, settings.sources)),
        "HUB_PUSH_LINGER": str(settings.push_linger),
    }


def hub(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("hub")), *words],
        env=environment(settings), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@contextmanager
def serving(settings: Settings, **more: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `hub web serve` in a process of its own; give its address and the process."""
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("hub")), "web", "serve", "--port", "0", "--json"],
        env=environment(settings) | more, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = "".join(process.stdout.readline() for _ in range(3))
        yield json.loads(said)["url"], process
    finally:
        process.kill()
        process.communicate(timeout=30)
