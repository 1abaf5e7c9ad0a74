"""Sums of entropies of columns by Gaussian mixtures, with bias correction and bootstrap error."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skywright.trust.information.choice import CRITERIA, choose_mixture
from skywright.trust.information.expectation import fit_mixtures
from skywright.trust.information.integrals import mean_under
from skywright.trust.information.mixtures import Mixtures, log_density
from skywright.trust.information.samples import normal_scores, standardise

__all__ = [
    "TRANSFORMS",
    "Settings",
    "bootstrap_weights",
    "choose",
    "estimate_terms",
    "fold_weights",
    "refit",
]

Terms = list[tuple[float, list[int]]]
TRANSFORMS = {
    "none": [standardise],
    "copula": [normal_scores],
    "auto": [standardise, normal_scores],
}
FLOOR = 1e-6  # of the variance of a column
FOLDS = 10  # of the correction
STARTS = 3


class Settings(NamedTuple):
    """How to estimate; see `mutual_information`."""

    transform: str = "auto"
    criterion: str = "cv"
    components: int = 15
    folds: int = 2
    bootstraps: int = 50
    correct: bool = True

    def check(self) -> None:
        """Say which of them cannot be."""
        if self.transform not in TRANSFORMS:
            raise ValueError(f"transform is {self.transform!r}; expected {', '.join(TRANSFORMS)}")
        if self.criterion not in CRITERIA:
            raise ValueError(f"criterion is {self.criterion!r}; expected {', '.join(CRITERIA)}")
        for name, least in (("components", 1), ("folds", 2), ("bootstraps", 2)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; expected at least {least}")


def choose(points: np.ndarray, settings: Settings, rng: np.random.Generator) -> Mixtures:
    """Return the mixture of all rows that the criterion prefers."""
    return choose_mixture(
        points,
        criterion=settings.criterion,
        most=settings.components,
        starts=STARTS,
        folds=settings.folds,
        floor=FLOOR,
        rng=rng,
    )


def bootstrap_weights(n: int, settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Return how often each row is drawn: (resample, n)."""
    return rng.multinomial(n, np.full(n, 1 / n), size=settings.bootstraps).astype(float)


def fold_weights(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return 1 where a row is left out of a fold and 0 elsewhere: (fold, n)."""
    return np.asarray(
        (rng.permutation(np.arange(n) % FOLDS) == np.arange(FOLDS)[:, None]).astype(float)
    )


def refit(points: np.ndarray, weights: np.ndarray, mixture: Mixtures) -> Mixtures:
    """Return the fits to reweighted rows, each begun at the fit to all of them."""
    begin = mixture[np.zeros(len(weights), dtype=int)]
    return fit_mixtures(points, weights, begin, floor=FLOOR)[0]


def estimate_terms(
    columns: list[np.ndarray], terms: Terms, settings: Settings, rng: np.random.Generator
) -> dict[str, Any]:
    """Return value, plain value and error, in nats, of a mean of log densities of margins.

    The plain value is the integral under the fitted mixture. Its bias has two parts. Fitting the
    noise makes it too large: rows that were held out of the fit judge their log densities too
    low by as much as fitted rows judge them too high. And where the mixture is not the truth its
    integral is off to first order, the mean of its log densities over the rows to second (this
    is the influence function; Kandasamy et al. 2015, arXiv:1411.4342). The corrected value is
    therefore the average of the mean over fitted and the mean over held-out rows.

    With the transform ``auto`` the one whose held-out mean is larger is taken.
    """
    n = len(columns[0])
    tried = []
    left_out = fold_weights(n, rng)
    transforms = TRANSFORMS[settings.transform]
    for transform in transforms:
        points = transform(columns)
        mixture = choose(points, settings, rng)
        held_out = np.nan
        if settings.correct or len(transforms) > 1:
            folds = refit(points, 1 - left_out, mixture)
            held_out = float((_log_ratio(folds, points, terms) * left_out).sum() / n)
        tried.append((held_out, transform, points, mixture))
    held_out, transform, points, mixture = max(tried, key=lambda t: t[0])
    resampled = refit(points, bootstrap_weights(n, settings, rng), mixture)
    plain = float(mean_under(mixture, terms)[0])
    fitted = float(_log_ratio(mixture, points, terms).mean())
    return {
        "plain": plain,
        "value": 0.5 * (fitted + held_out) if settings.correct else plain,
        "error": float(mean_under(resampled, terms).std(ddof=1)),
        "components": mixture.weights.shape[1],
        "transform": "copula" if transform is normal_scores else "none",
    }


def _log_ratio(mixtures: Mixtures, points: np.ndarray, terms: Terms) -> np.ndarray:
    """Return the sum of log densities of margins of each mixture at each row."""
    total = np.zeros((len(mixtures.weights), len(points)))
    for factor, axes in terms:
        total += factor * log_density(mixtures.margin(axes), points[:, axes])
    return total
