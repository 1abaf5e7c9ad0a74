"""Predict numbers with regression nets: a mean, and two parts of the uncertainty."""

from __future__ import annotations

import numpy as np
import torch
from astropy.table import QTable

from skywright.data import Images, Model, Predictions
from skywright.find.predict import check_domain, chosen_rows, convert, is_inside, rows_inside
from skywright.learn.drawn_nets import drawn_nets
from skywright.learn.likelihoods import LIKELIHOODS
from skywright.learn.regression_data import scale_rows
from skywright.learn.scaling import scale_images

__all__ = ["combine_members", "predict_regression"]


def predict_regression(
    model: Model,
    data: QTable | Images,
    *,
    roles: np.ndarray | None = None,
    role: str = "test",
    draws: int = 30,
    batch: int = 1024,
) -> Predictions:
    """Predict a number for each row, with what data do not tell and what the fit does not know.

    Rows are read ``batch`` at a time and the last batch is padded, and draws from a posterior
    come from the model's own seed: blocks joined equal the whole bit for bit.

    Parameters
    ----------
    model : Model
        Made by `skywright.learn.fit_regression` or `skywright.learn.laplace`.
    data : QTable or Images
        With the features, or the bands, pixel scale and size, of the training.
    roles : (n,) str, optional
        Role of each row; None judges all of them.
    role : str
        The role to judge.
    draws : int
        Nets to draw from a posterior over nets; an ensemble is its members.
    batch : int
        Rows in an inner batch.

    Returns
    -------
    Predictions
        ``mean``, ``aleatoric`` and ``epistemic`` of the chosen rows, in the unit of the values
        that were fitted; the two parts add in quadrature. ``in_domain`` is false outside the hull
        of the training rows.

    Raises
    ------
    ValueError
        When the data are not those the model was made for, or numbers are not finite.
    """
    nets = drawn_nets(model, draws)
    likelihood = LIKELIHOODS[model.config["likelihood"]]
    factor = check_domain(model, data) if isinstance(data, Images) else 1.0
    rows = chosen_rows(len(data), roles, role)
    parts = np.empty((3, len(nets), len(rows)))
    inside = []
    for start in range(0, len(rows), batch):
        inside.append(_inside(model, data, rows[start : start + batch], factor))
        inputs = _inputs(model, data, rows[start : start + batch], factor)
        padded = torch.zeros((batch, *inputs.shape[1:]))
        padded[: len(inputs)] = inputs
        with torch.inference_mode():
            for i, net in enumerate(nets):
                moments = likelihood.moments(net(padded))
                for part, moment in zip(parts, moments, strict=True):
                    part[i, start : start + len(inputs)] = moment[: len(inputs)].double().numpy()
    target = model.config["scaling"]["target"]
    mean, aleatoric, epistemic = combine_members(*parts)
    object_id = data.object_id if isinstance(data, Images) else np.asarray(data["object_id"])
    return Predictions(
        np.asarray(object_id)[rows],
        target["mean"] + target["sd"] * mean,
        target["sd"] * aleatoric,
        target["sd"] * epistemic,
        in_domain=np.concatenate(inside) if inside else None,
    )


def _inside(model: Model, data: QTable | Images, rows: np.ndarray, factor: float) -> np.ndarray:
    """Tell which rows lie in the hull of those of the training; all, where no hull was drawn."""
    block = data[rows]
    if isinstance(block, Images):
        return is_inside(model, convert(block, factor))
    flags = rows_inside(model, block)
    return np.ones(len(rows), dtype=bool) if flags is None else flags


def combine_members(
    mean: np.ndarray, aleatoric: np.ndarray, epistemic: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean and the two standard deviations of the mixture of normals of all members.

    Parameters
    ----------
    mean, aleatoric, epistemic : (member, n)
        Mean of each member, the variance it promises, and what it says of its own ignorance.

    Returns
    -------
    mean, aleatoric, epistemic : (n,)
        Root of the mean variance, and root of the variance of the means plus the mean of the
        third. One member is itself, exactly.

    References
    ----------
    Lakshminarayanan et al. 2017, arXiv:1612.01474, section 2.4.

    Examples
    --------
    >>> given = np.array([[[1.0], [3.0]], [[4.0], [4.0]], [[0.0], [0.0]]])
    >>> mean, one, other = combine_members(*given)
    >>> float(mean[0]), float(one[0]), float(other[0])
    (2.0, 2.0, 1.0)
    """
    spread = mean.var(axis=0) if len(mean) > 1 else np.zeros(mean.shape[1:])
    return (
        mean.mean(axis=0),
        np.sqrt(aleatoric.mean(axis=0)),
        np.sqrt(spread + epistemic.mean(axis=0)),
    )


def _inputs(model: Model, data: QTable | Images, rows: np.ndarray, factor: float) -> torch.Tensor:
    """Return rows as the net sees them."""
    if isinstance(data, Images):
        softening = float(model.config["scaling"]["softening"])
        return torch.from_numpy(scale_images(convert(data[rows], factor), softening))
    inputs = scale_rows(data[rows], model.config)
    bad = ~torch.isfinite(inputs).all(dim=1)
    if bad.any():
        raise ValueError(
            f"{int(bad.sum())} rows have NaN or infinite features (first: row "
            f"{rows[int(bad.nonzero()[0])]}); a net needs finite numbers: leave these rows out"
        )
    return inputs
