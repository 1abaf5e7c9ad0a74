"""Which nodes have ended, which are at work, which can start."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from pickle import PicklingError

import networkx as nx

from skywright.data import artefacts
from skywright.flow.evaluate import Job, take
from skywright.flow.events import Event, Listener
from skywright.flow.jobs import State, execute, failure
from skywright.flow.keys import block_key, node_key
from skywright.flow.plan import Call, Node, Plan, Ref, calls, references
from skywright.flow.runs import reused_entry
from skywright.flow.sources import Sources
from skywright.flow.store import Entry, Store
from skywright.flow.workers import Backend

__all__ = ["Schedule"]

BLOCKS = 10_000  # of one node: each has a key and a place in the store


@dataclass
class _Task:
    """A node at work, whole or in blocks.

    Parameters
    ----------
    job : Job
        For the whole node.
    nodes : list of str
        The node, and others with the same key.
    blocks : dict
        Key of a block -> its entry.
    seconds : float [s]
        Spent on it in this run.
    """

    job: Job
    nodes: list[str]
    blocks: dict[str, Entry | None] = field(default_factory=dict)
    seconds: float = 0.0


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
        self._backlog: deque[Job] = deque()  # what no worker has begun
        self._tasks: dict[str, _Task] = {}  # key of a node or of a block -> what it belongs to
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
            known = all(self.states[p].entry for p in self.graph.predecessors(name))
            entry = self._find(name)[1] if known else None
            missing = "compute" if known else "unknown"
            self.states[name] = State("cached" if entry else missing, entry)
        return self.states

    def work(self, backend: Backend) -> None:
        """Take nodes as they become ready, until nothing is left that can be done."""
        self._ready.extend(n for n in self.nodes if not self.graph.in_degree(n))
        running = 0
        while self._ready or self._backlog or running:
            if self._backlog and running < backend.slots:
                job = self._backlog.popleft()
                try:
                    backend.submit(job)
                    running += 1
                except (AttributeError, TypeError, PicklingError) as error:
                    self._take(job, failure(error, self.store))
            elif self._ready:
                self._start(self._ready.popleft())
            else:
                self._take(*backend.next())
                running -= 1

    def report_progress(self, job: Job, fraction: float) -> None:
        """Tell how far the job of a node is; of one in blocks, only whole blocks count."""
        if job.block is None:
            self._tell(job.node.name, State("running"), fraction)

    def _start(self, name: str) -> None:
        begun = time.perf_counter()
        before = {p: self.states[p].state for p in self.graph.predecessors(name)}
        held = [p for p, state in before.items() if state == "waiting"]
        if self._stopped or {"failed", "skipped"} & set(before.values()):
            return self._end(name, State("skipped"))
        if held:
            return self._end(name, State("waiting", message=f"waits for {', '.join(held)}"))
        try:
            key, entry = self._find(name)
            if entry:
                return self._end(name, State("cached", entry, time.perf_counter() - begun))
            self._line_up(name, key)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self._end(name, failure(error, self.store))

    def _line_up(self, name: str, key: str) -> None:
        """Make the jobs of a node, unless another node with the same key is at work."""
        if key in self._tasks:
            self._tasks[key].nodes.append(name)
            return
        node = self.nodes[name]
        blocks, rows = self._cuts(node)
        task = self._tasks[key] = _Task(self._job(node, key), [name])
        self._tell(name, State("running"), 0.0)
        if blocks:
            for i in range(blocks):
                block = block_key(key, i)
                self._tasks[block] = task
                task.blocks[block] = self.store.find(block)
                if task.blocks[block] is None:
                    self._backlog.append(replace(task.job, key=block, block=(i, rows)))
            self._join(task)
        elif any(calls(node.value)):
            self._backlog.append(task.job)
        else:  # no code of a step runs: not worth a worker
            self._take(task.job, execute(task.job))

    def _take(self, job: Job, state: State) -> None:
        """Note how a job ended."""
        task = self._tasks[job.key]
        if task.nodes[0] in self.states:  # another block of the node has failed before
            return
        if state.entry and state.state == "computed":
            task.seconds += state.entry.seconds - job.seconds
        if state.entry and job.block is not None:
            task.blocks[job.key] = state.entry
            done = [e is not None for e in task.blocks.values()]
            self._tell(task.nodes[0], State("running"), sum(done) / len(done))
            self._join(task)
            return
        del self._tasks[task.job.key]
        first, *twins = task.nodes
        self._end(first, replace(state, seconds=task.seconds))
        for name in twins:
            self._end(name, State("cached", state.entry) if state.entry else state)

    def _join(self, task: _Task) -> None:
        """Put the blocks of a node together once all are there."""
        entries = [e for e in task.blocks.values() if e]
        if len(entries) == len(task.blocks):
            job = replace(
                task.job,
                inputs={},
                parts=tuple(e.folder for e in entries),
                seconds=sum(e.seconds for e in entries),
                memory=max(e.memory for e in entries),
            )
            self._backlog.append(job)

    def _end(self, name: str, state: State) -> None:
        self.states[name] = state
        self._tell(name, state)
        for successor in self.graph.successors(name):
            if all(p in self.states for p in self.graph.predecessors(successor)):
                self._ready.append(successor)
        if state.state == "failed" and not self._stopped:
            self._stop()

    def _stop(self) -> None:
        """Let what is at work end, and begin nothing new."""
        self._stopped = True
        while self._backlog:
            for name in self._tasks[self._backlog.popleft().key].nodes:
                if name not in self.states:
                    self._end(name, State("skipped"))

    def _tell(self, name: str, state: State, fraction: float = 1.0) -> None:
        if self._listener:
            done, total = len(self.states), len(self.nodes)
            about = (state.seconds, state.message)
            self._listener(Event(name, state.state, fraction, *about, done, total))

    def _find(self, name: str) -> tuple[str, Entry | None]:
        """Return the key of a node and what is kept under it."""
        if name in self.plan.reused:
            entry = reused_entry(self.plan.reused[name], name)
            return entry.key, entry
        key = node_key(self.nodes[name], self.plan.seed, self.sources, self._digest)
        return key, self.store.find(key)

    def _digest(self, name: str) -> str:
        return self._entry(name).digest

    def _entry(self, name: str) -> Entry:
        entry = self.states[name].entry
        if entry is None:
            raise ValueError(f"${name} has no value")
        return entry

    def _job(self, node: Node, key: str) -> Job:
        inputs: dict[str, Path | Node] = {}
        todo = list(references(node.value))
        while todo:
            source = todo.pop()
            entry = self._entry(source)
            inputs[source] = entry.folder if entry.kept else self.nodes[source]
            if not entry.kept:
                todo += [s for s in references(self.nodes[source].value) if s not in inputs]
        points = {n: self.nodes[n].point for n in inputs}
        files = self.sources.files(calls(node.value))
        return Job(node, key, self.plan.seed, self.store.workspace, inputs, points, files)

    def _cuts(self, node: Node) -> tuple[int, int]:
        """Return how many blocks a node has, and their rows; none if it is not to be cut."""
        call = node.value
        if not isinstance(call, Call) or call.map is None:
            return 0, 0
        whole = call.kwargs[call.map]
        if isinstance(whole, Ref):
            entry = self._entry(whole.node)
            if not entry.kept:
                raise ValueError(f".map: the value of {whole.node!r} is not kept: make it an array")
            length = None if whole.part else entry.length
            if length is None:
                length = len(take(artefacts.load(entry.folder), whole.part, whole.node))
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
