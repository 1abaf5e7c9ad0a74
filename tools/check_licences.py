"""No GPL or non-commercial code among what the package needs to run."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
# The core and the extras of the main job; test oracles and documentation tools are not shipped.
EXTRAS = ("learn", "scale")
FORBIDDEN = re.compile(r"(?<!L)GPL|Affero|(?<!Lesser )General Public|non-?commercial|BY-NC", re.I)


def main() -> int:
    """Print every forbidden licence; return whether there is one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    todo = [Requirement(text) for text in project["dependencies"]]
    for extra in EXTRAS:
        todo += [Requirement(text) for text in project["optional-dependencies"][extra]]
    seen: dict[str, str] = {}
    while todo:
        requirement = todo.pop()
        name = requirement.name.lower().replace("_", "-")
        extras = requirement.extras or {""}
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        if name in seen:
            continue
        try:
            found = distribution(requirement.name)
        except PackageNotFoundError:
            print(f"{name} is not installed")
            return 1
        seen[name] = licence(found.metadata)
        for text in found.requires or []:
            child = Requirement(text)
            if child.marker is None or any(child.marker.evaluate({"extra": e}) for e in extras):
                child.marker = None  # judged just now, with the extras of its parent
                todo.append(child)
    bad = {name: text for name, text in seen.items() if FORBIDDEN.search(text)}
    for name, text in bad.items():
        print(f"{name}: {text}")
    print(f"{len(seen)} packages, {len(bad)} with a licence that the core must not need")
    return int(bool(bad))


def licence(metadata: object) -> str:
    """Return a package's licence in few words: expression, classifiers, or a short text."""
    get_all = metadata.get_all  # type: ignore[attr-defined]
    expression = get_all("License-Expression") or []
    classifiers = [c for c in get_all("Classifier") or [] if c.startswith("License")]
    text = [t for t in get_all("License") or [] if len(t) < 100]
    return "; ".join(expression or classifiers or text) or "not stated"


if __name__ == "__main__":
    sys.exit(main())
