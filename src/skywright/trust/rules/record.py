"""What a finished run left behind, read as facts: its record, its models, its files."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from skywright.data.plainjson import read_json
from skywright.trust.rules.sizes import count_numbers

__all__ = [
    "models_behind",
    "node_names",
    "orphan_numbers",
    "read_models",
    "run_files",
]

_REF = re.compile(r"\$([A-Za-z_][\w]*(?:\.[\w*]+)*)")
_NUMBER = re.compile(r"(?<![\w.#-])[-+\u2212]?\d[\d,]*\.\d+(?!\w|\.\d)")


def run_files(run: Path) -> list[str]:
    """Return the names of all files of a run, relative to its folder."""
    return sorted(p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file())


def read_models(run: Path, record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return of every stored model its configuration, its history and its size.

    Parameters
    ----------
    run : Path
        Run folder.
    record : dict
        Content of its ``provenance.json``.

    Returns
    -------
    dict
        Node, sweep point included -> ``config``, ``history`` (columns), ``numbers`` it holds.
    """
    found = {}
    for node, state in record["nodes"].items():
        folder = run / state["folder"] if state.get("folder") else None
        if folder is None or not (folder / "artefact.json").is_file():
            continue
        if read_json(folder / "artefact.json").get("kind") != "model":
            continue
        found[node] = {
            "config": read_json(folder / "config.json"),
            "history": _columns(folder / "history.csv"),
            "numbers": count_numbers(folder),
        }
    return found


def _columns(file: Path) -> dict[str, list[str]]:
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    names = lines[0].split(",") if lines and lines[0] else []
    return {name: [line for line in lines[1:] if line] for name in names}


def node_names(record: dict[str, Any]) -> dict[str, Any]:
    """Return each node's expression, by its name without a sweep point."""
    nodes = record["recipe"]["nodes"]
    return {name.partition("[")[0]: value for name, value in nodes.items()}


def models_behind(expression: Any, record: dict[str, Any], models: dict[str, Any]) -> list[str]:
    """Return the models that a value was computed with, following references to their nodes.

    Parameters
    ----------
    expression : JSON
        As the record describes it, ``"$scores.*"``.
    record : dict
        Content of ``provenance.json``.
    models : dict
        From `read_models`.

    Returns
    -------
    list of str
        Nodes, sweep points included. A model's own inputs are not followed.
    """
    nodes, seen, found = node_names(record), set(), []
    queue = _references(expression)
    while queue:
        path = queue.pop()
        if path in seen:
            continue
        seen.add(path)
        name, *part = path.split(".")
        own = [node for node in models if node.partition("[")[0] == name]
        if own:
            found += own
            continue
        inside = nodes.get(name)
        for key in (p for p in part if p != "*"):
            if isinstance(inside, dict) and key in inside:
                inside = inside[key]
        queue += _references(inside)
    return sorted(set(found))


def _references(value: Any) -> list[str]:
    """Return every reference in an expression."""
    if isinstance(value, str):
        whole = _REF.fullmatch(re.sub(r"\[[^]]*\]", "", value))
        return [whole[1]] if whole else []
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [name for part in parts for name in _references(part)]


def orphan_numbers(run: Path, record: dict[str, Any]) -> tuple[list[str], int, float]:
    """Compare the report's numbers with what the run computed.

    A number in the results must stand in the record, which the engine took from the node. A
    number on the page or in the verdict, written with a decimal point, must be one of the results,
    of the evidence, of the record or of a stored value, to the digits that are shown.

    Returns
    -------
    orphans : list of str
    traced : int
        How many numbers were found.
    chance : float
        With which a number that is as large and has as many digits, but was typed, is found.
    """
    report, page = run / "report.json", run / "report.html"
    if not report.is_file():
        return [], 0, 0.0
    facts = read_json(report)
    orphans = [
        f"{name} = {result.get('value')}"
        for name, result in facts["results"].items()
        if json.dumps(result, default=str) != json.dumps(record["results"].get(name), default=str)
    ]
    known = _Known([facts, record, *_stored(run, record)])
    shown = _NUMBER.findall(facts.get("verdict", ""))
    shown += _numbers_of(page.read_text("utf-8")) if page.is_file() else []
    orphans += [text for text in dict.fromkeys(shown) if not known.holds(text)]
    chance = sum(known.chance(text) for text in shown) / max(len(shown), 1)
    return orphans, len(facts["results"]) + len(shown), chance


def _stored(run: Path, record: dict[str, Any]) -> list[Any]:
    """Return the content of every small JSON file of the run's artefacts, models left out."""
    files = [p for p in (run / "artefacts").rglob("*.json") if p.stat().st_size < 4_000_000]
    return [json.loads(p.read_text("utf-8")) for p in files if p.name != "config.json"]


class _Known:
    """All numbers of some JSON, to be looked up by the digits that are shown."""

    # a verdict is no source of its own numbers; of long lists of numbers any number is one
    SILENT = ("verdict", "hull", "splits", "draws")
    STEPS = 20

    def __init__(self, sources: list[Any]) -> None:
        self.values: list[float] = []
        for source in sources:
            self._take(source)
        self._rounded: dict[int, set[str]] = {}

    def _take(self, value: Any) -> None:
        if isinstance(value, dict):
            for name, part in value.items():
                if name not in self.SILENT:
                    self._take(part)
        elif isinstance(value, list):
            for part in value:
                self._take(part)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            self.values.append(float(value))
        elif isinstance(value, str):
            self.values += [float(n.replace(",", "").replace("\u2212", "-"))
                            for n in _NUMBER.findall(value)]  # fmt: skip

    def holds(self, text: str) -> bool:
        """Tell whether a number as it is written is one of those known; per cent counts too."""
        return self._holds(*_plain(text))

    def chance(self, text: str) -> float:
        """Return the share of the next smaller and larger numbers of as many digits that hold."""
        plain, digits = _plain(text)
        steps = (k for k in range(-self.STEPS, self.STEPS + 1) if k)
        near = [abs(float(plain) + k * 10.0**-digits) for k in steps]
        return sum(self._holds(f"{value:.{digits}f}", digits) for value in near) / len(near)

    def _holds(self, plain: str, digits: int) -> bool:
        if digits not in self._rounded:
            self._rounded[digits] = {
                f"{abs(v * scale):.{digits}f}" for v in self.values for scale in (1, 100)
            }
        return plain in self._rounded[digits]


def _plain(text: str) -> tuple[str, int]:
    """Return a number as it is written without its sign, and how many decimals it has."""
    plain = text.replace(",", "").replace("\u2212", "-").lstrip("+-")
    return plain, len(plain.partition(".")[2])


class _Text(HTMLParser):
    """The text of a page outside of drawings, styles and code."""

    SILENT = ("svg", "style", "script", "code", "pre")

    def __init__(self) -> None:
        super().__init__()
        self.depth, self.parts = 0, [""]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.depth += tag in self.SILENT

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag in self.SILENT

    def handle_data(self, data: str) -> None:
        if not self.depth:
            self.parts.append(data)


def _numbers_of(page: str) -> list[str]:
    """Return the numbers with a decimal point that a page shows in tables and figures of merit."""
    reader = _Text()
    reader.feed(page)
    return _NUMBER.findall(" ".join(reader.parts))
