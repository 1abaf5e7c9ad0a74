"""The verdict of a judge: the artefact `Report`, and loose `Files` for other programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Files", "Report"]


@dataclass(frozen=True)
class Report:
    """Numbers with their intervals, and one self-contained page.

    Parameters
    ----------
    results : dict
        Name -> ``{"value": float, "low": float, "high": float, …}``; names may be dotted.
        ``low`` and ``high`` are the ends of the interval the judge states; a count without
        uncertainty repeats its value. Further keys (``n``, ``n_groups``, ``unit``) are allowed.
    verdict : str
        One paragraph in plain words.
    evidence : dict
        Everything else worth keeping as JSON: curves, tables, settings.
    html : str
        ``report.html``: a whole page that needs no other file and no network.
    """

    results: dict[str, dict[str, Any]]
    verdict: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    html: str = ""

    def __post_init__(self) -> None:
        for name, result in self.results.items():
            missing = {"value", "low", "high"} - set(result)
            if missing:
                raise ValueError(
                    f"result {name!r} lacks {sorted(missing)}: every number of a report has "
                    "value, low and high"
                )


@dataclass(frozen=True)
class Files:
    """Named files made for other programs (DS9 regions, VOTable, FITS).

    A step never writes: it returns the content, and the store puts it on disk.

    Parameters
    ----------
    content : dict
        Relative file name -> bytes.
    """

    content: dict[str, bytes]
