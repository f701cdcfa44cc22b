"""The `hub` command as a program of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping


def hub(environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run `hub` with these words; what it said is kept."""
    program = [sys.executable, "-c", "from hub.cli import main; main()", *words]
    return subprocess.run(program, env=dict(environment), capture_output=True, text=True, check=False)
