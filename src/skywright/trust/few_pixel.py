"""Change a few pixels so that a classifier errs: how many images fall, at what price.

The judge knows the classifier only as a function from images to scores. A whole population of
changed images is scored in one call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import differential_evolution

from skywright.trust.pixel_budget import PixelBudget
from skywright.trust.resampling import wilson

__all__ = ["attack_few_pixels", "change_pixels"]

Scores = Callable[[np.ndarray], np.ndarray]

# Values are searched from -1 to 2 and cut off at 0 and 1, so that two of three are an end of what
# the budget allows. Ends fool most, and within hard bounds evolution hardly ever meets them.
BEYOND = 1.0
SEARCHES = ("evolution", "random", "ends")


def attack_few_pixels(
    scores: Scores,
    images: np.ndarray,
    labels: np.ndarray,
    budget: PixelBudget,
    rng: np.random.Generator,
    *,
    targets: np.ndarray | None = None,
    search: str = "evolution",
    population: int = 50,
    generations: int = 80,
) -> dict[str, Any]:
    """Attack images one by one, each until the classifier errs or the queries are spent.

    Parameters
    ----------
    scores : callable
        From images (batch, band, y, x) in the unit of ``images`` to scores (batch, class).
    images : (n, band, y, x) [unit]
        Images that the classifier gets right; others are refused, since they need no attack.
    labels : (n,) int
        True classes.
    budget : PixelBudget
        How many pixels may change by how much.
    rng : Generator
        Source of randomness.
    targets : (n,) int, optional
        Class into which each image must turn; by default any but the true one.
    search : {"evolution", "random", "ends"}
        Differential evolution (Storn & Price 1997, J. Global Optim. 11, 341; Su, Vargas & Sakurai
        2019, arXiv:1710.08864), or as many independent draws, which it has to beat: even within
        the budget, or as evolution begins, with two of three values at an end of the budget.
    population, generations : int
        Changed images scored at once, and rounds after the first one.

    Returns
    -------
    dict
        ``success``: ``value, low, high, n`` with the Wilson interval (95 %); ``fooled`` (n,) bool;
        ``queries`` (n,) until success or the end; ``changed`` (n,) pixels; ``images`` (n, band, y,
        x) after the best change; ``largest_change`` (n,) [unit].
    """
    images, labels = np.asarray(images), np.asarray(labels)
    _check(scores(images), labels, targets)
    if search not in SEARCHES:
        raise ValueError(f"search is {search!r}; expected one of {', '.join(SEARCHES)}")
    hunts = []
    for i, image in enumerate(images):
        target = None if targets is None else int(targets[i])
        hunt = _Hunt(scores, image, int(labels[i]), target, budget)
        if search == "evolution":
            _evolve(hunt, population, generations, rng)
        else:
            _draw(hunt, population, generations, rng, beyond=BEYOND if search == "ends" else 0.0)
        hunts.append(hunt)
    fooled = np.array([hunt.margin < 0 for hunt in hunts])
    after = np.stack([hunt.best for hunt in hunts])
    difference = np.abs(after - images)
    low, high = wilson(float(fooled.mean()), len(fooled))
    return {
        "success": {"value": float(fooled.mean()), "low": low, "high": high, "n": len(fooled)},
        "fooled": fooled,
        "queries": np.array([hunt.queries for hunt in hunts]),
        "changed": (difference > 0).any(axis=1).sum(axis=(1, 2)),
        "images": after,
        "largest_change": difference.max(axis=(1, 2, 3)),
    }


def change_pixels(image: np.ndarray, genes: np.ndarray, budget: PixelBudget) -> np.ndarray:
    """Return one changed image for each candidate.

    Parameters
    ----------
    image : (band, y, x) [unit]
        To be changed.
    genes : (candidate, pixel * (2 + band))
        Row, column, and value in each band of every pixel, all between 0 and 1; values of 0 and 1
        are the lowest and highest that the budget allows in that pixel, and are so beyond, too.
    budget : PixelBudget
        How many pixels may change by how much.

    Returns
    -------
    (candidate, band, y, x) [unit]
    """
    bands, ny, nx = image.shape
    parts = np.reshape(genes, (len(genes), budget.pixels, 2 + bands))
    y = np.minimum((parts[..., 0] * ny).astype(int), ny - 1)
    x = np.minimum((parts[..., 1] * nx).astype(int), nx - 1)
    before = np.moveaxis(image[:, y, x], 0, -1)
    low = np.maximum(before - budget.change, np.minimum(budget.lowest, before))
    high = np.minimum(before + budget.change, np.maximum(budget.highest, before))
    changed = np.repeat(image[None], len(genes), axis=0)
    row = np.arange(len(genes))[:, None, None]
    band = np.arange(bands)
    values = low + np.clip(parts[..., 2:], 0, 1) * (high - low)
    changed[row, band, y[..., None], x[..., None]] = values
    return changed


class _Hunt:
    """The search on one image: scores candidates, counts queries, keeps the best change."""

    def __init__(
        self, scores: Scores, image: np.ndarray, label: int, target: int | None, budget: PixelBudget
    ) -> None:
        self.scores, self.image, self.budget = scores, image, budget
        self.label, self.target = label, target
        self.queries, self.margin, self.best = 0, np.inf, image

    def bounds(self, beyond: float) -> np.ndarray:
        """Return lowest and highest gene, (gene, 2), with values that far beyond the budget."""
        place, value = [(0.0, 1.0)] * 2, [(-beyond, 1 + beyond)] * len(self.image)
        return np.array((place + value) * self.budget.pixels)

    def __call__(self, genes: np.ndarray) -> np.ndarray:
        """Return by how much each candidate (candidate, gene) misses; below 0 it succeeds."""
        changed = change_pixels(self.image, genes, self.budget)
        scores = np.array(self.scores(changed), dtype=float)
        self.queries += len(genes)
        wanted = self.label if self.target is None else self.target
        alone = scores[:, wanted].copy()
        scores[:, wanted] = -np.inf
        margin = alone - scores.max(axis=1)
        margin = margin if self.target is None else -margin
        lowest = int(np.argmin(margin))
        if margin[lowest] < self.margin:
            self.margin, self.best = float(margin[lowest]), changed[lowest]
        return np.asarray(margin)


def _evolve(hunt: _Hunt, population: int, generations: int, rng: np.random.Generator) -> None:
    bounds = hunt.bounds(BEYOND)
    start = rng.uniform(bounds[:, 0], bounds[:, 1], size=(population, len(bounds)))
    known = [hunt(start)]
    if hunt.margin < 0:
        return
    differential_evolution(
        # SciPy asks for the first population again: that costs no query
        lambda genes: known.pop() if known else hunt(genes.T),
        bounds,
        maxiter=generations,
        init=start,
        mutation=(0.4, 1.0),
        recombination=0.5,
        strategy="rand1bin",
        tol=0,
        atol=-1,  # equal scores are no reason to stop
        polish=False,
        updating="deferred",
        vectorized=True,
        rng=rng,
        callback=lambda *_: hunt.margin < 0,
    )


def _draw(
    hunt: _Hunt, population: int, generations: int, rng: np.random.Generator, *, beyond: float
) -> None:
    bounds = hunt.bounds(beyond)
    for _ in range(generations + 1):
        hunt(rng.uniform(bounds[:, 0], bounds[:, 1], size=(population, len(bounds))))
        if hunt.margin < 0:
            return


def _check(scores: np.ndarray, labels: np.ndarray, targets: np.ndarray | None) -> None:
    wrong = int((np.argmax(scores, axis=1) != labels).sum())
    if wrong:
        raise ValueError(
            f"{wrong} of {len(labels)} images are wrong before the attack; expected only those "
            "that the classifier gets right"
        )
    if targets is not None and (np.asarray(targets) == labels).any():
        raise ValueError("a target is the true class of its image; expected another one")
