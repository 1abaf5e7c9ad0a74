"""Which column of one table knows about which column of another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import QTable, Table
from scipy.stats import false_discovery_control

from skywright.data import open_table
from skywright.trust.information.classes import class_information
from skywright.trust.information.pairs import mutual_information
from skywright.trust.information.result import Information
from skywright.trust.information.samples import seeded

__all__ = ["information_table", "tabulate_information"]

COLUMNS = ("value", "error", "low", "high", "p_value")


def information_table(
    latents: Table | np.ndarray,
    quantities: Table,
    *,
    unit: str = "nat",
    permutations: int = 199,
    seed: int = 0,
    rng: np.random.Generator | None = None,
    **settings: Any,
) -> QTable:
    """Estimate the mutual information of every latent and every quantity.

    Parameters
    ----------
    latents : Table or (n, latent)
        Numbers, such as the latent space of a network; columns of an array are ``z0``, ``z1``, …
    quantities : Table
        Row by row: numbers, or classes where a column holds words or booleans.
    unit : str
        ``nat`` or ``bit``.
    permutations : int
        Of the p-values.
    seed : int
        Without ``rng``.
    rng : Generator, optional
        Source of randomness.
    **settings
        Of `mutual_information`: ``criterion``, ``components``, ``folds``, ``bootstraps``,
        ``correct``.

    Returns
    -------
    QTable
        ``latent``, ``quantity``, ``warning``, ``value``, ``error``, ``low``, ``high``,
        ``p_value``, and ``q_value``: the p-value after Benjamini and Hochberg's correction for
        all pairs.

    Raises
    ------
    ValueError
        A column cannot be used; its name is part of the message. There are no columns.
    """
    rng = seeded(seed, rng)
    if not isinstance(latents, Table):
        array = np.ma.asarray(latents)
        if array.ndim != 2:
            raise ValueError(f"latents have shape {array.shape}; expected (n, latent) or a Table")
        latents = Table({f"z{i}": array[:, i] for i in range(array.shape[1])})
    if not isinstance(quantities, Table):
        raise ValueError(f"quantities are a {type(quantities).__name__}; expected a Table")
    if not latents.colnames or not quantities.colnames:
        raise ValueError("there are no pairs: expected at least one latent and one quantity")
    rows: list[dict[str, Any]] = []
    for latent in latents.colnames:
        for quantity in quantities.colnames:
            values = quantities[quantity]
            kind = getattr(values, "dtype", np.dtype(float)).kind  # times and places have none
            estimate = class_information if kind in "USObT" else mutual_information
            try:
                found: Information = estimate(
                    latents[latent], values, unit=unit, permutations=permutations, rng=rng,
                    **settings,
                )  # fmt: skip
            except ValueError as error:
                raise ValueError(f"latent {latent!r} and quantity {quantity!r}: {error}") from error
            numbers = {name: getattr(found, name) for name in COLUMNS}
            words = {"latent": latent, "quantity": quantity, "warning": found.warning}
            rows.append(words | numbers)
    table = QTable(rows)
    p_values = np.asarray(table["p_value"])
    table["q_value"] = false_discovery_control(p_values) if permutations else p_values
    table.meta["unit"] = unit
    return table


def tabulate_information(
    table: str | Table | None = None,
    latents: list[str] | None = None,
    quantities: list[str] | None = None,
    *,
    unit: str = "nat",
    permutations: int = 199,
    bootstraps: int = 50,
    rng: np.random.Generator,
) -> QTable:
    """Estimate the mutual information of columns of somebody's table.

    Parameters
    ----------
    table : path or Table, optional
        Without one the result has no rows.
    latents, quantities : list of str, optional
        Columns. By default latents begin with ``z`` and a digit, and quantities are the others.
    unit : str
        ``nat`` or ``bit``.
    permutations, bootstraps : int
        See `mutual_information`.
    rng : Generator
        Source of randomness.

    Returns
    -------
    QTable
        Of `information_table`.

    Raises
    ------
    ValueError
        A column is missing or cannot be used.
    """
    if table is None:
        words = {name: np.array([], dtype="U1") for name in ("latent", "quantity", "warning")}
        return QTable(words | {name: np.array([], dtype=float) for name in (*COLUMNS, "q_value")})
    whole = table if isinstance(table, Table) else open_table(Path(table))
    like = [name for name in whole.colnames if name[:1] == "z" and name[1:2].isdigit()]
    first = latents or like
    second = quantities or [n for n in whole.colnames if n not in first and n != "object_id"]
    missing = [name for name in (*first, *second) if name not in whole.colnames]
    if missing or not first or not second:
        raise ValueError(
            f"the table has the columns {', '.join(whole.colnames)}; "
            + (f"there is no {', '.join(missing)}" if missing else "name latents and quantities")
        )
    return information_table(
        whole[first], whole[second], unit=unit, permutations=permutations, bootstraps=bootstraps,
        rng=rng,
    )  # fmt: skip
