"""Positions fill their cells evenly, or follow a field with the correlation asked for."""

import astropy.units as u
import numpy as np
import pytest
from astropy.cosmology import Planck18
from astropy_healpix import lonlat_to_healpix
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import cKDTree

from skywright.sky import (
    cell_area,
    cells_in_cone,
    clustered_positions,
    field_contrast,
    lognormal_field,
    uniform_positions,
)
from skywright.sky.populations.distances import distance_modulus

NSIDE = 32
CELLS = np.arange(16)
LENGTH, SLOPE = 7.9 * u.Mpc, 1.84


@given(st.integers(0, 12 * NSIDE**2 - 1), st.integers(0, 100))
def test_positions_are_inside_their_cell(cell, seed):
    ra, dec = uniform_positions(20, cell, NSIDE, rng=np.random.default_rng(seed))
    assert (lonlat_to_healpix(ra, dec, NSIDE, order="nested") == cell).all()


def test_positions_are_uniform_on_the_sphere():
    """A whole sphere of cells: right ascension and the sine of declination are uniform."""
    ra, dec = uniform_positions(40_000, np.arange(12), 1, rng=np.random.default_rng(1))
    assert stats.kstest(ra.value, stats.uniform(0, 360).cdf).pvalue > 1e-3
    assert stats.kstest(np.sin(dec.to_value("rad")), stats.uniform(-1, 2).cdf).pvalue > 1e-3
    # and inside one cell that touches the pole, where lines of right ascension meet
    ra, dec = uniform_positions(40_000, 3, 2, rng=np.random.default_rng(1))
    inner = lonlat_to_healpix(ra, dec, 16, order="nested") - 3 * 64
    assert stats.chisquare(np.bincount(inner, minlength=64)).pvalue > 1e-3


def test_area_of_cells():
    assert cell_area(1, np.arange(12)).to_value(u.sr) == pytest.approx(4 * np.pi)
    cone = cells_in_cone(40 * u.deg, -30 * u.deg, 3 * u.deg, 64)
    assert cell_area(64, cone) > 2 * np.pi * (1 - np.cos(np.deg2rad(3))) * u.sr


@pytest.mark.parametrize(
    ("cells", "nside", "message"),
    [
        (1, 3, "power of two"),
        (12, 1, "numbered from 0 to 11"),
        (-1, 4, "numbered from 0"),
        ([1, 1], 4, "named twice"),
        ([], 4, "whole numbers, one or more"),
        (1.5, 4, "whole numbers"),
    ],
)
def test_cells_that_do_not_exist_are_refused(cells, nside, message):
    with pytest.raises(ValueError, match=message):
        uniform_positions(3, cells, nside, rng=np.random.default_rng(0))


def pairs(ra, dec, others, edges):
    angle = 2 * np.sin(np.deg2rad(edges) / 2)
    a, b = (cKDTree(unit(*w)) for w in ((ra, dec), others))
    return np.diff(a.count_neighbors(b, angle)).astype(float)


def unit(ra, dec):
    ra, dec = ra.to_value("rad"), dec.to_value("rad")
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], -1)


def test_pairs_of_clustered_galaxies_follow_limbers_equation():
    """Landy and Szalay's estimator over 12 skies, at the true mean density; no code of ours."""
    edges, mean, estimates = np.array([0.08, 0.2, 0.5, 1.2]), 500, []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        field = lognormal_field(
            [0.3, 0.4], CELLS, NSIDE, Planck18, LENGTH, SLOPE, resolution=64, rng=rng
        )
        found = []
        for cell in CELLS:
            n = rng.poisson(mean * field_contrast(field, cell, np.array([0.35]))[0])
            found.append(clustered_positions(np.full(n, 0.35), field, cell, rng=rng))
        sky = [np.concatenate([f[i].value for f in found]) * u.deg for i in (0, 1)]
        even = uniform_positions(20_000, CELLS, NSIDE, rng=rng)
        share = mean * len(CELLS) / 20_000
        dr, rr = pairs(*sky, even, edges) * share, pairs(*even, even, edges) * share**2
        estimates.append((pairs(*sky, sky, edges) - 2 * dr + rr) / rr)
    chi = Planck18.comoving_distance([0.3, 0.4]).to_value("Mpc")
    factor = np.sqrt(np.pi) * 2.3535 / 1.0697  # Gamma(0.42), Gamma(0.92) by a table
    a = factor * LENGTH.value**SLOPE / (chi[1] - chi[0]) * chi.mean() ** (1 - SLOPE)
    theta = np.deg2rad(edges)
    expected = a * 2 / (3 - SLOPE) * np.diff(theta ** (3 - SLOPE)) / np.diff(theta**2)
    measured, error = np.mean(estimates, 0), np.std(estimates, 0) / np.sqrt(11)
    assert (np.abs(measured - expected) < 3 * error + 0.03 * expected).all()
    assert (error < 0.15 * expected).all()


def test_number_in_a_cell_follows_the_field():
    rng = np.random.default_rng(3)
    field = lognormal_field([0.2, 0.3, 0.4], CELLS, NSIDE, Planck18, resolution=8, rng=rng)
    contrast = np.array([field_contrast(field, c, np.array([0.1, 0.25, 0.35])) for c in CELLS])
    assert (contrast[:, 0] == 1).all()
    assert contrast[:, 1].std() > 0.05
    np.testing.assert_allclose(contrast[:, 2], 1 + field["contrast"][1].mean(axis=-1), rtol=1e-5)
    assert field["contrast"].min() > -1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"redshift": [0.3]}, "edges of shells"),
        ({"redshift": [0.4, 0.3]}, "edges of shells"),
        ({"resolution": 3}, "power of two"),
        ({"slope": 3.5}, "slope between 1 and 3"),
        ({"redshift": [0.5, 0.501]}, "Mpc deep"),
        ({"correlation_length": 0 * u.Mpc}, "positive length"),
        ({"cells": np.arange(12), "nside": 1}, "28 degrees"),
        ({"correlation_length": 3 * u.s}, "convertible"),
    ],
)
def test_fields_that_make_no_sense_are_refused(changes, message):
    given = {"redshift": [0.3, 0.4], "cells": CELLS, "nside": NSIDE, "cosmology": Planck18}
    with pytest.raises(ValueError, match=message):
        lognormal_field(**given | changes, rng=np.random.default_rng(0))


def test_cells_outside_the_field_are_refused():
    field = lognormal_field(
        [0, 1], [4, 5], NSIDE, Planck18, resolution=4, rng=np.random.default_rng(0)
    )
    with pytest.raises(ValueError, match="cell 7 is not in the footprint"):
        clustered_positions(np.array([0.5]), field, 7, rng=np.random.default_rng(0))


@given(st.floats(1e-3, 20))
def test_distance_modulus_is_that_of_astropy(z_max):
    z = np.linspace(z_max / 1e4, z_max, 3000)
    np.testing.assert_allclose(
        distance_modulus(z, Planck18)[::97], Planck18.distmod(z[::97]).value, rtol=0, atol=1e-8
    )
    assert distance_modulus(np.append(z, 0.0), Planck18)[-1] == -np.inf
    with pytest.raises(ValueError, match="not negative"):
        distance_modulus(np.append(z, -1.0), Planck18)
