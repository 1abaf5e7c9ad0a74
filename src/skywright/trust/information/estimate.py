"""Sums of entropies of columns by Gaussian mixtures, with bias correction and bootstrap error."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skywright.trust.information.agreement import unseen_information
from skywright.trust.information.choice import CRITERIA, choose_mixture
from skywright.trust.information.expectation import LEFT, fit_mixtures
from skywright.trust.information.integrals import mean_under
from skywright.trust.information.mixtures import Mixtures
from skywright.trust.information.models import Part, Terms, gap_parts, log_ratio, plain_value
from skywright.trust.information.samples import normal_scores, spread_ties, standardise

__all__ = [
    "TRANSFORMS",
    "Settings",
    "bootstrap_weights",
    "choose",
    "estimate_terms",
    "fold_weights",
    "refit",
]

TRANSFORMS = {
    "none": {"none": standardise},
    "copula": {"copula": normal_scores},
    "auto": {"none": standardise, "copula": normal_scores},
}
FLOOR = 1e-6  # of the variance of a column
FOLDS = 10  # of the correction
STARTS = 3
ROUGH = 0.5  # log likelihood that may be missing where only the mean over rows matters
CLEAR = 2.0  # standard errors by which a gap has to explain rows better


class Settings(NamedTuple):
    """How to estimate; see `mutual_information`."""

    transform: str = "auto"
    criterion: str = "cv"
    components: int = 15
    folds: int = 2
    bootstraps: int = 50
    correct: bool = True

    def check(self, permutations: int = 0) -> None:
        """Say which of them, or of the test's, cannot be."""
        if self.transform not in TRANSFORMS:
            raise ValueError(f"transform is {self.transform!r}; expected {', '.join(TRANSFORMS)}")
        if self.criterion not in CRITERIA:
            raise ValueError(f"criterion is {self.criterion!r}; expected {', '.join(CRITERIA)}")
        for name, least in (("components", 1), ("folds", 2), ("bootstraps", 2)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; expected at least {least}")
        if permutations < 0:
            raise ValueError(f"permutations is {permutations}; expected 0 or more")


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


def refit(
    points: np.ndarray, weights: np.ndarray, mixture: Mixtures, left: float = LEFT
) -> Mixtures:
    """Return the fits to reweighted rows, each begun at the fit to all of them."""
    begin = mixture[np.zeros(len(weights), dtype=int)]
    return fit_mixtures(points, weights, begin, floor=FLOOR, left=left)[0]


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

    The error is the scatter over bootstrap resamples of what is quoted: of the integral for the
    plain value, of the mean over the resampled rows for the corrected one. The mean varies more
    than the integral, because the rows do, even where the mixture does not. Where neighbours
    see clearly more than mixtures do, that difference is added in quadrature.

    With the transform ``auto`` the one whose held-out mean is larger is taken, or `gap_parts`
    where most values of a column are its own: whole numbers have no edge.
    """
    n = len(columns[0])
    stepped = any(2 * len(np.unique(column)) < n for column in columns)
    columns = [spread_ties(column, rng) for column in columns]
    left_out = fold_weights(n, rng)
    tried = [
        _fit([Part(transform(columns), terms)], name, left_out, settings, rng)
        for name, transform in TRANSFORMS[settings.transform].items()
    ]
    best = max(tried, key=lambda fit: fit.held_out.mean())
    if settings.transform == "auto" and settings.correct and not stepped:
        best = _gap(best, columns, terms, left_out, settings, rng)
    plain = sum(plain_value(part, one) for part, one in zip(best.parts, best.mixtures, strict=True))
    rows = np.sum(
        [log_ratio(part, one)[0] for part, one in zip(best.parts, best.mixtures, strict=True)], 0
    )
    value = 0.5 * float((rows + best.held_out).mean()) if settings.correct else plain
    unseen = 0.0
    if settings.correct and len(columns) == 2:
        unseen = unseen_information(normal_scores(columns), best.held_out, value)
    return {
        "plain": plain,
        "value": value,
        "error": float(np.hypot(_error(best, settings, rng), unseen)),
        "unseen": unseen,
        "components": best.mixtures[0].weights.shape[1],
        "transform": best.transform,
    }


class _Fit(NamedTuple):
    """Parts of a model, their mixtures, and the log density ratio of rows that were held out."""

    parts: list[Part]
    mixtures: list[Mixtures]
    transform: str
    held_out: np.ndarray


def _fit(
    parts: list[Part],
    transform: str,
    left_out: np.ndarray,
    settings: Settings,
    rng: np.random.Generator,
) -> _Fit:
    mixtures = [choose(part.points, settings, rng) for part in parts]
    held_out = np.zeros(left_out.shape[1])
    if settings.correct or settings.transform == "auto":
        for part, one in zip(parts, mixtures, strict=True):
            folds = refit(part.points, 1 - left_out, one)
            held_out += (log_ratio(part, folds) * left_out).sum(axis=0)
    # a row far outside of the others meets the tail of a Gaussian, which knows no bounds
    most = np.log(len(held_out)) - 0.5 * np.log(FLOOR)
    return _Fit(parts, mixtures, transform, np.minimum(held_out, most))


def _gap(
    best: _Fit,
    columns: list[np.ndarray],
    terms: Terms,
    left_out: np.ndarray,
    settings: Settings,
    rng: np.random.Generator,
) -> _Fit:
    """Return the model of the gap of ordered columns where held-out rows ask for it.

    Its margins are fitted apart, so that it is no lower bound: it has to be clearly better.
    """
    parts = gap_parts(columns, terms)
    if not parts:
        return best
    other = _fit(parts, "gap", left_out, settings, rng)
    gain = other.held_out - best.held_out
    return other if gain.mean() > CLEAR * gain.std() / np.sqrt(len(gain)) else best


def _error(fit: _Fit, settings: Settings, rng: np.random.Generator) -> float:
    """Return the scatter over resamples; all parts are refitted to the same ones."""
    weights = bootstrap_weights(len(fit.held_out), settings, rng)
    values = np.zeros(len(weights))
    for part, one in zip(fit.parts, fit.mixtures, strict=True):
        if settings.correct:
            # at its best fit a mean over rows hardly depends on the parameters: few rounds do
            again = refit(part.points, weights, one, left=ROUGH)
            values += (log_ratio(part, again) * weights).mean(axis=1)
        else:
            values += mean_under(refit(part.points, weights, one), part.terms)
    return float(values.std(ddof=1))
