"""Mutual information of two columns, and of two columns given others."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import Table

from skywright.trust.information.estimate import Settings, estimate_terms
from skywright.trust.information.permutation import independence_p_value
from skywright.trust.information.result import Information, make_information, scale_of
from skywright.trust.information.samples import columns_of, normal_scores, seeded

__all__ = ["conditional_information", "mutual_information"]


def mutual_information(
    x: Any,
    y: Any,
    *,
    unit: str = "nat",
    transform: str = "auto",
    criterion: str = "cv",
    components: int = 15,
    folds: int = 2,
    bootstraps: int = 50,
    permutations: int = 199,
    correct: bool = True,
    seed: int = 0,
    rng: np.random.Generator | None = None,
) -> Information:
    """Estimate how much two numbers say about each other, with an error.

    A Gaussian mixture is fitted to the pairs, its information is integrated by fixed nodes, and
    the fits are repeated for bootstrap resamples, as in Piras et al. 2023 (arXiv:2211.00024).

    Parameters
    ----------
    x, y : (n,)
        Pairs, row by row.
    unit : str
        ``nat`` or ``bit``.
    transform : str
        ``none``: numbers of unit variance. ``copula``: normal scores of the ranks, so that
        nothing changes when a column is replaced by what grows with it. ``auto``: the one that
        explains held-out rows better, or where one column is always the larger, the gap between
        them if it does so clearly, see `gap_parts`.
    criterion : str
        ``cv``, ``aic`` or ``bic`` chooses the number of components.
    components : int
        At most.
    folds : int
        Of the cross-validation.
    bootstraps : int
        Resamples for the error.
    permutations : int
        For the p-value, whose smallest is 1 / (permutations + 1); 0: no test.
    correct : bool
        Whether the bias is corrected, see `estimate_terms`. A corrected value may lie below 0.
    seed : int
        Without ``rng``.
    rng : Generator, optional
        Source of randomness.

    Returns
    -------
    Information

    Raises
    ------
    ValueError
        A sample or a setting cannot be used.

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> x = draw.normal(size=500)
    >>> found = mutual_information(x, 0.6 * x + 0.8 * draw.normal(size=500), seed=1)
    >>> bool(abs(found.value - 0.2231) < 2 * found.error), found.p_value
    (True, 0.005)
    """
    scale_of(unit)
    settings = Settings(transform, criterion, components, folds, bootstraps, correct)
    settings.check(permutations)
    rng = seeded(seed, rng)
    columns = list(columns_of({"x": x, "y": y}).values())
    found = estimate_terms(columns, [(1, [0, 1]), (-1, [0]), (-1, [1])], settings, rng)
    p_value = independence_p_value(normal_scores(columns), permutations, rng)
    return make_information(p_value=p_value, unit=unit, n=len(columns[0]), **found)


def conditional_information(
    x: Any,
    y: Any,
    given: Any,
    *,
    unit: str = "nat",
    transform: str = "auto",
    criterion: str = "cv",
    components: int = 15,
    folds: int = 2,
    bootstraps: int = 50,
    correct: bool = True,
    seed: int = 0,
    rng: np.random.Generator | None = None,
) -> Information:
    """Estimate how much two numbers say about each other beyond what others say about both.

    Parameters
    ----------
    x, y : (n,)
        Pairs, row by row.
    given : (n,) or (n, other) or Table
        What is known; each further column asks for many more rows.
    unit, transform, criterion, components, folds, bootstraps, correct, seed, rng
        As in `mutual_information`.

    Returns
    -------
    Information
        Without a p-value: to permute rows would break their link to ``given`` too.

    Raises
    ------
    ValueError
        A sample or a setting cannot be used.

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> z = draw.normal(size=500)
    >>> x, y = z + draw.normal(size=(2, 500))  # only z links them
    >>> found = conditional_information(x, y, z, seed=1)
    >>> bool(abs(found.value) < 3 * found.error)
    True
    """
    scale_of(unit)
    settings = Settings(transform, criterion, components, folds, bootstraps, correct)
    settings.check()
    rng = seeded(seed, rng)
    columns = list(columns_of({"x": x, "y": y} | _given(given)).values())
    rest = list(range(2, len(columns)))
    terms = [(1.0, [0, 1, *rest]), (1.0, rest), (-1.0, [0, *rest]), (-1.0, [1, *rest])]
    found = estimate_terms(columns, terms, settings, rng)
    return make_information(p_value=float("nan"), unit=unit, n=len(columns[0]), **found)


def _given(given: Any) -> dict[str, Any]:
    """Return the columns of what is known, with their masks."""
    if isinstance(given, Table):
        return {f"given[{name!r}]": given[name] for name in given.colnames}
    plain = getattr(given, "value", given)
    known = plain if isinstance(plain, np.ndarray) else np.ma.asarray(plain)
    if known.ndim < 2:
        return {"given": known}
    return {f"given[{i}]": known[:, i] for i in range(known.shape[1])}
