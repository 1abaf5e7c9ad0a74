"""Run the one loop: fixed randomness, a folder that survives a kill, and going on in it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from skywright.learn.loop import Loop

__all__ = ["run_loop"]

Made = tuple["Loop", Any, Any]


def run_loop(
    make: Callable[[torch.Generator], Made],
    training: dict[str, Any],
    settings: str,
    hardware: dict[str, Any],
    scratch: Path | None,
    progress: Callable[[float], None] | None,
) -> dict[str, Any]:
    """Train, or go on where an interrupted training stopped; return the keeper's state.

    Parameters
    ----------
    make : callable
        From the generator of the order of rows to the module, its training batches and those of
        validation; only called when there is something left to do.
    training : dict
        ``seed``, ``threads``, ``epochs``, ``patience``.
    settings : str
        Differs between trainings that must not share a folder.
    hardware : dict
        ``accelerator``, ``devices``, ``num_nodes`` of Lightning's Trainer.
    scratch : Path, optional
        Folder in which an interrupted training goes on; without it a temporary one is used.
    progress : callable, optional
        Called with the finished share after each epoch.
    """
    # Lightning takes seconds to import: only a training pays for it
    from skywright.learn.loop import Keeper, read_state, train

    with contextlib.ExitStack() as stack:
        folder = scratch or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(
            _deterministic(training["seed"], hardware["accelerator"], training["threads"])
        )
        path = folder / "last.ckpt"
        state = read_state(path, settings)
        if state is None or not state["finished"]:
            generator = torch.Generator().manual_seed(training["seed"])
            module, batches, checks = make(generator)
            keeper = Keeper(path, generator, settings, module.gradients, progress)
            train(module, batches, checks, keeper, training, hardware, state is not None)
            state = read_state(path, settings)
    if state is None or not state["best"]["weights"]:
        raise RuntimeError(
            "training gave no finite validation loss: lower learning_rate, and look at the data"
        )
    return state


@contextlib.contextmanager
def _deterministic(seed: int, accelerator: str, threads: int) -> Iterator[None]:
    """Seed torch, fix its threads and ask for deterministic algorithms; put all back afterwards."""
    threads_before = torch.get_num_threads()
    before = torch.are_deterministic_algorithms_enabled()
    warn = torch.is_deterministic_algorithms_warn_only_enabled()
    memory: Any = torch.utils.deterministic  # its attribute is a property of the module
    fill_before = memory.fill_uninitialized_memory
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(threads)
        # a few operations on GPUs have no deterministic form: there it is asked for, not forced
        torch.use_deterministic_algorithms(True, warn_only=accelerator != "cpu")
        # every value is written before it is read: filling each new tensor only costs time
        memory.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before, warn_only=warn)
            memory.fill_uninitialized_memory = fill_before
            torch.set_num_threads(threads_before)
