"""Published names that are ours under another path."""

from __future__ import annotations

__all__ = ["SKYPY"]

# Dotted path in SkyPy -> dotted path here; the populations of galaxies fill it.
SKYPY: dict[str, str] = {}
