"""`Report` as ``report.json`` and ``report.html``; `Files` as the files they are."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from skywright.data.canonical import Hasher
from skywright.data.plainjson import plain
from skywright.data.report import Files, Report

__all__ = ["hash_files", "hash_report", "read_files", "read_report", "write_files", "write_report"]


def write_report(report: Report, folder: Path) -> None:
    """Write both files of ``report`` into ``folder``."""
    (folder / "report.json").write_text(json.dumps(_facts(report), indent=1), "utf-8")
    (folder / "report.html").write_text(report.html, "utf-8", newline="")


def read_report(folder: Path) -> Report:
    """Read what `write_report` wrote."""
    facts = json.loads((folder / "report.json").read_text("utf-8"))
    html = (folder / "report.html").read_bytes().decode("utf-8")
    return Report(**facts, html=html)


def hash_report(report: Report, into: Hasher) -> None:
    """Add the content of ``report`` to a digest."""
    into.text("report", json.dumps(_facts(report)), report.html)


def _facts(report: Report) -> dict:
    return {
        "verdict": report.verdict,
        "results": plain(report.results),
        "evidence": plain(report.evidence),
    }


def write_files(files: Files, folder: Path) -> None:
    """Write every file of ``files`` under ``folder/files``."""
    for name, content in files.content.items():
        if not isinstance(content, bytes):
            raise TypeError(f"file {name!r} is {type(content).__name__}; expected bytes")
        path = folder / "files" / _safe(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def read_files(folder: Path, names: list[str]) -> Files:
    """Read the files called ``names`` under ``folder/files``."""
    return Files({name: (folder / "files" / _safe(name)).read_bytes() for name in names})


def hash_files(files: Files, into: Hasher) -> None:
    """Add the content of ``files`` to a digest."""
    into.text("files")
    for name, content in files.content.items():
        into.text(name)
        into.data(content)


def _safe(name: str) -> str:
    """Refuse a name that would leave the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in name:
        raise ValueError(f"file name {name!r}: expected a relative name without '..'")
    return name
