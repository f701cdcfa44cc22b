"""Shows runs as a bar on a terminal, and as plain lines anywhere else."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class Bar:
    """A watcher of runs (see `dags.ops.runs.Watcher`): a bar over the departments on standard error."""

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet)
        self._bar = Progress(
            TextColumn("[progress.description]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
        )
        self._task = self._bar.add_task("departments", total=total)
        self._total, self._ended = total, 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def ended(self, dag_id: str, state: str) -> None:
        """Move the bar; on no terminal, say so every tenth of the way."""
        self._ended += 1
        self._bar.update(self._task, advance=1, description=f"departments (last: {dag_id.removeprefix('hub_source_')})")
        if state != "success":
            self.said(f"{dag_id}: {state}")
        if not self._console.is_terminal and self._ended * 10 // self._total > (self._ended - 1) * 10 // self._total:
            self.said(f"{self._ended} of {self._total} departments")

    def said(self, text: str) -> None:
        """Print a line above the bar."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
