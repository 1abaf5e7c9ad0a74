"""What a run tells while it goes on, and how it may end short of success."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Event", "Listener", "RunError", "is_disk_full"]


@dataclass(frozen=True)
class Event:
    """One step of progress.

    Parameters
    ----------
    node : str
        Name of the node.
    state : str
        ``running``, or the state it ended in: ``computed``, ``cached``, ``waiting``, ``failed``,
        ``skipped``.
    fraction : float
        How much of a running node is done.
    seconds : float [s]
        Time spent computing, once it ended.
    message : str
        Why it waits or failed.
    done, total : int
        Nodes that have ended, nodes in all.
    """

    node: str
    state: str
    fraction: float = 0.0
    seconds: float = 0.0
    message: str = ""
    done: int = 0
    total: int = 0


# What libraries say that lose the error number; the last two are numpy's.
FULL = ("No space left on device", "File too large", "Not enough free space", "requested and ")

Listener = Callable[[Event], None]


class RunError(Exception):
    """A run that could not go on for reasons outside the recipe, as a full disk; exit code 1."""


def is_disk_full(error: BaseException | None) -> bool:
    """Tell whether an error, or one it came from, says that no more can be written."""
    while error is not None:
        text = str(error)
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        if isinstance(error, OSError) and any(sign in text for sign in FULL):
            return True
        error = error.__cause__ or error.__context__
    return False
