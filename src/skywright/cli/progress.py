"""What a person sees while a run goes on; always on standard error."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skywright.flow.events import Event

__all__ = ["Display"]

MOST = 12  # bars at a time, however many nodes are lined up

MARKS = {"computed": "+", "cached": "=", "waiting": "?", "failed": "!", "skipped": "-"}


class Display:
    """Bars on a terminal; elsewhere nothing, or a line per node where that is asked for.

    Parameters
    ----------
    quiet : bool
        Show nothing at all.
    lines : bool
        Write a line as each node ends.
    """

    def __init__(self, quiet: bool, lines: bool) -> None:
        self._lines = lines
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}
        if not quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f} %"),
                TimeElapsedColumn(),
                console=Console(stderr=True),
            )
            self._all = self._bars.add_task("all nodes", total=1.0)

    def __enter__(self) -> Display:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType
    ) -> None:
        if self._bars:
            self._bars.stop()

    def __call__(self, event: Event) -> None:
        """Show an event."""
        if event.state == "running":
            self._advance(event)
            return
        if self._bars:
            task = self._tasks.pop(event.node, None)
            if task is not None:
                self._bars.remove_task(task)
            self._bars.update(self._all, completed=event.done / max(event.total, 1))
        if self._lines:
            mark = MARKS.get(event.state, " ")
            text = f"{mark} {event.node:32} {event.state:9} {event.seconds:8.2f} s"
            if self._bars:
                self._bars.console.print(text, highlight=False, markup=False)
            else:
                print(text, file=sys.stderr, flush=True)

    def _advance(self, event: Event) -> None:
        if not self._bars:
            return
        if event.node not in self._tasks:
            if len(self._tasks) >= MOST:
                return
            self._tasks[event.node] = self._bars.add_task(event.node, total=1.0)
        self._bars.update(self._tasks[event.node], completed=event.fraction)
