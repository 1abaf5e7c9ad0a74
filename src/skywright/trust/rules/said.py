"""What people say on a card, as far as its form tells whether anything was said at all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["doubtful_citations", "doubtful_date", "doubtful_licence", "unsaid"]

PLACEHOLDERS = {
    "", "todo", "to do", "tbd", "tba", "tbc", "fixme", "x", "xx", "xxx", "na", "n/a", "none",
    "null", "nil", "unknown", "not said", "placeholder", "lorem ipsum", "your text here",
}  # fmt: skip
# Identifiers of https://spdx.org/licenses that data, models and code of astronomy come under.
SPDX = {
    "0bsd", "afl-3.0", "agpl-3.0", "agpl-3.0-only", "agpl-3.0-or-later", "apache-2.0",
    "artistic-2.0", "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "cc-by-2.0", "cc-by-3.0",
    "cc-by-4.0", "cc-by-nc-4.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0",
    "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-pddc", "cc0-1.0", "cdla-permissive-2.0", "cecill-2.1",
    "cecill-b", "ecl-2.0", "etalab-2.0", "eupl-1.2", "gpl-2.0", "gpl-2.0-only",
    "gpl-2.0-or-later", "gpl-3.0", "gpl-3.0-only", "gpl-3.0-or-later", "isc", "lgpl-2.1",
    "lgpl-2.1-only", "lgpl-2.1-or-later", "lgpl-3.0", "lgpl-3.0-only", "lgpl-3.0-or-later",
    "mit", "mit-0", "mpl-2.0", "odbl-1.0", "odc-by-1.0", "ogl-uk-3.0", "pddl-1.0", "psf-2.0",
    "python-2.0", "unlicense", "zlib",
}  # fmt: skip
CITED = re.compile(
    r"(arxiv:)?(\d\d(0[1-9]|1[0-2])\.\d{4,5}|[a-z-]+(\.[a-z]{2})?/\d{7})(v\d+)?"  # arXiv
    r"|(doi:|https?://(dx\.)?doi\.org/)?10\.\d{4,9}/\S+"
    r"|(1[89]|20)\d\d[a-z&.]{5}[\w.]{9}[a-z.]"  # bibcode of ADS
    r"|https?://[^\s/]+\.\S+",
    re.IGNORECASE,
)
YEAR = re.compile(r"\b(1[6-9]|20)\d\d\b")
DATE = re.compile(r"\b\d{4}-(\d\d?)(?:-(\d\d?))?\b")


def unsaid(entries: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    """Return the keys whose entry is missing, empty, or stands for what is yet to be written."""
    return [key for key in keys if _plain(entries.get(key)) in PLACEHOLDERS]


def _plain(said: Any) -> str:
    return str(said or "").strip(" .?!-…").lower()


def doubtful_licence(said: Any) -> str:
    """Return what is wrong with a licence: one word has to be an identifier of SPDX."""
    if len(str(said).split()) > 1 or str(said).lower() in SPDX:
        return ""
    return f"licence is {said!r}, which is no SPDX identifier such as CC-BY-4.0: say it in words"


def doubtful_date(said: Any) -> str:
    """Return what is wrong with a date: it names a year, or says in words where it is found."""
    text = str(said)
    good = all(
        1 <= int(month) <= 12 and (not day or 1 <= int(day) <= 31)
        for month, day in DATE.findall(text)
    )
    words = len(text.split()) > 2 and not re.search(r"\d", text)
    return "" if good and (words or YEAR.search(text)) else f"date is {said!r}, which names no year"


def doubtful_citations(said: Any) -> str:
    """Return what is wrong with citations: arXiv, DOI, bibcode, address, or words with a year."""
    every = [said] if isinstance(said, str) else list(said)
    wrong = [
        str(one)
        for one in every
        if not CITED.fullmatch(str(one).strip())
        and not (len(str(one).split()) > 1 and YEAR.search(str(one)))
    ]
    said = ", ".join(map(repr, wrong[:3]))
    return f"nothing can be found by {said}: give an arXiv id or a DOI" if wrong else ""
