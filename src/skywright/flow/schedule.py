"""Which nodes have ended, which are at work, which can start."""

from __future__ import annotations

import time
import traceback
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from pickle import PicklingError
from typing import Protocol

import networkx as nx

from skywright.data import artefacts
from skywright.flow.evaluate import mapped_argument, take
from skywright.flow.events import Event, Listener
from skywright.flow.jobs import Job, Outcome, execute
from skywright.flow.keys import block_key, calls, node_key, references
from skywright.flow.plan import Call, Node, Plan, Ref
from skywright.flow.runs import reused_entry
from skywright.flow.sources import Sources
from skywright.flow.store import Entry, Store

__all__ = ["Backend", "Schedule", "State"]

BLOCKS = 10_000  # of one node: each has a key and a place in the store


class Backend(Protocol):
    """Who does the work: processes here, or a cluster."""

    def submit(self, job: Job) -> None:
        """Take on a job."""

    def next(self) -> tuple[Job, Outcome]:
        """Wait for a job to end."""

    def cancel(self) -> list[str]:
        """Drop what nobody has begun."""

    def close(self) -> None:
        """End the workers."""


@dataclass(frozen=True)
class State:
    """How a node ended.

    Parameters
    ----------
    state : str
        ``computed``, ``cached``, ``waiting``, ``failed`` or ``skipped``; in a forecast also
        ``compute`` and ``unknown``.
    entry : Entry or None
        Its artefact in the store.
    seconds : float [s]
        Spent on it in this run.
    message, trace : str
        Why it waits or failed; the traceback.
    """

    state: str
    entry: Entry | None = None
    seconds: float = 0.0
    message: str = ""
    trace: str = ""


class Schedule:
    """Goes through the graph of a plan; values never pass through it, only digests.

    Parameters
    ----------
    plan : Plan
        What to run.
    store : Store
        Where artefacts are found and made.
    listener : callable, optional
        Gets an `Event` whenever something changes.
    """

    def __init__(self, plan: Plan, store: Store, listener: Listener | None = None) -> None:
        self.plan, self.store, self._listener = plan, store, listener
        self.sources = Sources(("skywright", *plan.allow))
        self.graph = plan.graph
        self.nodes = {n: plan.nodes[n] for n in nx.topological_sort(self.graph)}
        self.states: dict[str, State] = {}
        self._ready: deque[str] = deque()
        self._open: dict[str, list[str]] = {}  # key at work -> nodes that have this key
        self._jobs: dict[str, str] = {}  # key of a job -> key of its node
        self._blocks: dict[str, dict[str, Entry | None]] = {}  # key -> its blocks' entries
        self._spent: dict[str, float] = {}  # key -> seconds spent on it in this run
        self._stopped = False

    def identity(self) -> dict[str, str]:
        """Return node -> a key in which names stand for inputs: what the run is, before it ran."""
        seed, reused = self.plan.seed, self.plan.reused
        return {
            name: str(reused.get(name)) + node_key(node, seed, self.sources, str)
            for name, node in self.nodes.items()
        }

    def look(self) -> dict[str, State]:
        """Return what a run would do with each node; nothing is done or written."""
        for name in self.nodes:
            before = {self.states[p].state for p in self.graph.predecessors(name)}
            entry = self._find(name) if before <= {"cached"} else None
            unsure = "compute" if before <= {"cached"} else "unknown"
            self.states[name] = State("cached" if entry else unsure, entry)
        return self.states

    def work(self, backend: Backend) -> None:
        """Take nodes as they become ready, until nothing is left that can be done."""
        self._ready.extend(n for n in self.nodes if not self.graph.in_degree(n))
        while self._ready or self._jobs:
            if self._ready:
                self._start(self._ready.popleft(), backend)
            else:
                self._take(*backend.next(), backend)

    def report_progress(self, job: Job, fraction: float) -> None:
        """Tell how far the job of a node is; of one in blocks, only whole blocks count."""
        if job.block is None:
            self._tell(job.node.name, "running", fraction)

    def _start(self, name: str, backend: Backend) -> None:
        begun = time.perf_counter()
        before = {p: self.states[p].state for p in self.graph.predecessors(name)}
        held = [p for p, state in before.items() if state == "waiting"]
        if self._stopped or {"failed", "skipped"} & set(before.values()):
            return self._end(name, State("skipped"))
        if held:
            return self._end(name, State("waiting", message=f"waits for {', '.join(held)}"))
        try:
            entry = self._find(name)
            if entry:
                return self._end(name, State("cached", entry, time.perf_counter() - begun))
            self._line_up(name, self._key(name), backend)
        except (AttributeError, KeyError, TypeError, ValueError, PicklingError) as error:
            trace = traceback.format_exc()
            self._fail([name], f"{type(error).__name__}: {error}", trace, backend)

    def _line_up(self, name: str, key: str, backend: Backend) -> None:
        """Make the jobs of a node, unless another node with the same key is at work."""
        twins = self._open.setdefault(key, [])
        twins.append(name)
        if len(twins) > 1:
            return
        node = self.nodes[name]
        job = self._job(name, key)
        blocks, rows = self._cuts(node)
        self._tell(name, "running")
        if blocks:
            keys = [block_key(key, i) for i in range(blocks)]
            self._blocks[key] = {k: self.store.find(k) for k in keys}
            for i, k in enumerate(keys):
                if self._blocks[key][k] is None:
                    self._submit(replace(job, key=k, block=(i, rows)), key, backend)
            self._join(key, backend)
        elif any(True for _ in calls(node.value)):
            self._submit(job, key, backend)
        else:  # no code of a step runs: not worth a worker
            self._jobs[key] = key
            self._take(job, execute(job), backend)

    def _submit(self, job: Job, key: str, backend: Backend) -> None:
        self._jobs[job.key] = key
        backend.submit(job)

    def _take(self, job: Job, outcome: Outcome, backend: Backend) -> None:
        """Note how a job ended."""
        key = self._jobs.pop(job.key)
        names = self._open.get(key)
        if names is None:  # another block of the node has failed before
            return
        if outcome.entry and outcome.state == "computed":
            spent = outcome.entry.seconds - job.seconds
            self._spent[key] = self._spent.get(key, 0.0) + spent
        if outcome.state == "waiting":
            self._close(key, State("waiting", message=outcome.message))
        elif outcome.entry is None:
            del self._open[key]
            self._fail(names, outcome.message, outcome.trace, backend)
        elif job.block is not None:
            self._blocks[key][job.key] = outcome.entry
            done = [e is not None for e in self._blocks[key].values()]
            self._tell(names[0], "running", sum(done) / len(done))
            self._join(key, backend)
        else:
            self._close(key, State(outcome.state, outcome.entry, self._spent.get(key, 0.0)))

    def _join(self, key: str, backend: Backend) -> None:
        """Put the blocks of a node together once all are there."""
        entries = [e for e in self._blocks[key].values() if e]
        if len(entries) == len(self._blocks[key]):
            job = replace(
                self._job(self._open[key][0], key),
                inputs={},
                parts=tuple(e.folder for e in entries),
                seconds=sum(e.seconds for e in entries),
                memory=max(e.memory for e in entries),
            )
            self._submit(job, key, backend)

    def _close(self, key: str, state: State) -> None:
        first, *twins = self._open.pop(key)
        self._end(first, state)
        for name in twins:
            self._end(name, state if state.entry is None else State("cached", state.entry))

    def _fail(self, names: list[str], message: str, trace: str, backend: Backend) -> None:
        """Note a failure; what is at work may end, nothing new begins."""
        self._stopped = True
        for name in names:
            self._end(name, State("failed", message=message, trace=trace))
        for job in backend.cancel():
            key = self._jobs.pop(job)
            for name in self._open.pop(key, []):
                self._end(name, State("skipped"))

    def _end(self, name: str, state: State) -> None:
        self.states[name] = state
        self._tell(name, state.state, 1.0, state.seconds, state.message)
        for successor in self.graph.successors(name):
            if all(p in self.states for p in self.graph.predecessors(successor)):
                self._ready.append(successor)

    def _tell(
        self, name: str, state: str, fraction: float = 0.0, seconds: float = 0.0, text: str = ""
    ) -> None:
        if self._listener:
            done, total = len(self.states), len(self.nodes)
            self._listener(Event(name, state, fraction, seconds, text, done, total))

    def _find(self, name: str) -> Entry | None:
        run = self.plan.reused.get(name)
        return reused_entry(run, name) if run else self.store.find(self._key(name))

    def _key(self, name: str) -> str:
        return node_key(self.nodes[name], self.plan.seed, self.sources, self._digest)

    def _digest(self, name: str) -> str:
        return self._entry(name).digest

    def _entry(self, name: str) -> Entry:
        entry = self.states[name].entry
        if entry is None:
            raise ValueError(f"${name} has no value")
        return entry

    def _job(self, name: str, key: str) -> Job:
        inputs: dict[str, Path | Node] = {}
        todo = list(references(self.nodes[name].value))
        while todo:
            source = todo.pop()
            entry = self._entry(source)
            inputs[source] = entry.folder if entry.kept else self.nodes[source]
            if not entry.kept:
                todo += [s for s in references(self.nodes[source].value) if s not in inputs]
        points = {n: self.nodes[n].point for n in inputs}
        node, seed, workspace = self.nodes[name], self.plan.seed, self.store.workspace
        files = self.sources.files(calls(node.value))
        return Job(node, key, seed, workspace, inputs, points, files=files)

    def _cuts(self, node: Node) -> tuple[int, int]:
        """Return how many blocks a node has, and their rows; none if it is not to be cut."""
        call = node.value
        if not isinstance(call, Call) or call.map is None:
            return 0, 0
        whole = mapped_argument(call)
        if isinstance(whole, Ref) and not whole.collect:
            entry = self._entry(whole.node)
            if not entry.kept:
                raise ValueError(f".map: the value of {whole.node!r} is not kept: make it an array")
            length = None if whole.part else entry.length
            if length is None:
                length = len(take(artefacts.load(entry.folder), whole.part, whole.node))
        elif isinstance(whole, (Ref, Call)):
            raise ValueError(f".map: {call.map} needs a node of its own: name it and refer to it")
        else:
            length = len(whole)
        rows = call.rows or length or 1
        blocks = -(-length // rows)
        if blocks > BLOCKS:
            raise ValueError(
                f".rows {rows} cuts {length:,} rows into {blocks:,} blocks, more than {BLOCKS:,}: "
                f"take {-(-length // BLOCKS):,} rows or more"
            )
        return blocks, rows
