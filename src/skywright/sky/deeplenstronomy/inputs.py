"""``INPUT: file`` is replaced by what the file holds."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from skywright.sky.deeplenstronomy.document import Item, Problems, read_tree, show

__all__ = ["include"]

MOST = 100  # files in all


def include(root: Item, folder: Path, problems: Problems, outer: tuple[Path, ...] = ()) -> Item:
    """Replace each ``INPUT`` by the mapping its file holds.

    Parameters
    ----------
    root : Item
        Tree of a file.
    folder : Path
        Where that file is: names are relative to it, and may not lead out of it.
    problems : Problems
        Takes what is wrong.
    outer : tuple of Path
        The files that are open around this one.
    """
    return _Including(folder, problems).walk(root, outer)


class _Including:
    def __init__(self, folder: Path, problems: Problems) -> None:
        self.folder, self.problems, self.left = folder, problems, MOST

    def walk(self, item: Item, outer: tuple[Path, ...]) -> Item:
        if isinstance(item.value, list):
            return replace(item, value=[self.walk(child, outer) for child in item.value])
        if not isinstance(item.value, dict):
            return item
        found = {k: self.walk(v, outer) for k, v in item.value.items() if k != "INPUT"}
        name = item.get("INPUT")
        if name is not None:
            found |= self._read(name, item.path, outer)
        return replace(item, value=found)

    def _read(self, name: Item, path: str, outer: tuple[Path, ...]) -> dict[str, Item]:
        if not isinstance(name.value, str) or "\0" in name.value:
            self.problems.add(name, f"got {show(name.value)}, expected the name of a YAML file")
            return {}
        file = (self.folder / name.value).resolve()
        if not file.is_relative_to(self.folder.resolve()):
            self.problems.add(
                name, f"{name.value!r:.80} leads out of the folder of the file: move it there"
            )
            return {}
        if file in outer:
            self.problems.add(name, f"{name.value!r:.80} includes itself")
            return {}
        self.left -= 1
        if not os.path.isfile(file) or self.left < 0:
            reason = "is no file beside this one" if self.left >= 0 else "is one file too many"
            self.problems.add(name, f"{name.value!r:.80} {reason}")
            return {}
        inner = self.walk(read_tree(file, self.problems, path), (*outer, file))
        if not isinstance(inner.value, dict):
            self.problems.add(inner, f"got {show(inner.value)}, expected a mapping")
            return {}
        return inner.value
