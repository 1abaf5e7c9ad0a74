"""Reports of training sets: what they must find, and what they must not."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from skywright.data import Images
from skywright.trust import images_report

N = 200
SIGMA = 3.0


def training_set(seed=4, ordered=False, arc=0.0, noise=(1.0, 1.0)):
    """Return noise with an arc in lenses; ``noise`` is that of negatives and of lenses."""
    rng = np.random.default_rng(seed)
    labels = np.arange(N) % 2
    labels = np.sort(labels) if ordered else rng.permutation(labels)
    flux = rng.normal(0, SIGMA, (N, 2, 24, 24)) * np.asarray(noise)[labels][:, None, None, None]
    flux[labels == 1, :, 9:15, 9:15] += arc * SIGMA
    images = Images(
        flux=flux.astype(np.float32),
        bands=("g", "r"),
        unit=u.nJy,
        scale=0.25 * u.arcsec,
        object_id=np.arange(N) + 7,
        variance=np.full((N, 2, 1, 1), SIGMA**2, np.float32),
    )
    kinds = np.where(labels == 1, 1, 2 + np.arange(N) // 2 % 2)
    systems = QTable(
        {
            "object_id": images.object_id,
            "label": labels,
            "configuration": [f"CONFIGURATION_{k}" for k in kinds],
            "name": np.array(["", "lenses", "rings & <arms>", "mergers"])[kinds],
            "theta_e": rng.uniform(0.5, 2, N) * u.arcsec,
            "z_lens": rng.uniform(0.2, 0.6, N),
            "z_source": rng.uniform(1, 2, N),
            "mag_lens_r": rng.uniform(17, 21, N) * u.mag,
        }
    )
    return images, systems, np.where(labels == 1, 40.0, 0.0)


def judge(images, systems, snr, seed=1):
    return images_report(images, systems, snr, resamples=200, rng=np.random.default_rng(seed))


@pytest.fixture(scope="module")
def nothing():
    """Return the report of a set in which lenses differ from the rest in nothing."""
    return judge(*training_set())


def test_nothing_is_found_where_there_is_nothing(nothing):
    """Of 20 intervals of 95 % more than 3 miss the truth with a chance of 1.6 %."""
    missed = 0
    for report in (nothing, *(judge(*training_set(seed)) for seed in range(4))):
        names = ("auroc", "clue.order", "clue.background rms", "clue.total flux")
        missed += sum(not r["low"] <= 0.5 <= r["high"] for r in map(report.results.get, names))
    assert missed <= 3


def test_what_the_report_counts(nothing):
    found = nothing.results
    assert found["prevalence"]["value"] == 0.5
    assert [k for k in found if k.startswith("auroc.")] == ["auroc.rings & <arms>", "auroc.mergers"]


def test_arcs_are_found_and_named_as_light():
    found = judge(*training_set(arc=3.0)).results
    assert found["auroc"]["low"] > 0.9
    assert not found["clue.total flux"]["passed"]
    assert found["auroc_snr.25-50"]["n"] == N


def test_order_is_a_clue():
    report = judge(*training_set(ordered=True))
    assert report.results["clue.order"]["value"] > 0.95
    assert "tells the classes apart: order" in report.verdict


def test_background_is_a_clue():
    report = judge(*training_set(noise=(1.0, 1.2)))
    assert not report.results["clue.background rms"]["passed"]
    assert "background rms" in report.verdict


@pytest.mark.parametrize("true", [1.0, 1.5])
def test_noise_is_compared_with_its_formula(true, nothing):
    images, systems, snr = training_set(noise=(true, true))
    found = nothing if true == 1 else judge(images, systems, snr)
    for band in images.bands:
        ratio = found.results[f"noise_ratio.{band}"]
        assert ratio["value"] == pytest.approx(true, rel=0.02)
        assert ratio["low"] - 0.02 < true < ratio["high"] + 0.02


def test_noise_of_unknown_variance_is_not_judged(without_variance):
    report = judge(*without_variance)
    assert not [k for k in report.results if k.startswith("noise_ratio")]
    assert "was not checked" in report.verdict
    assert "no variance" in report.html


@pytest.fixture
def without_variance():
    images, systems, snr = training_set()
    return replace(images, variance=None), systems, snr


def test_page_stands_alone_and_escapes(nothing):
    assert "rings &amp; &lt;arms&gt;" in nothing.html
    assert "<arms>" not in nothing.html
    assert "http" not in nothing.html.replace("http-equiv", "")
    assert nothing.html.count("<img") == 3 * 7  # of each configuration
    assert nothing.html.index(">lenses</h3>") < nothing.html.index(">mergers</h3>")


def test_report_is_the_same_twice(nothing):
    assert judge(*training_set()).results == nothing.results


def test_what_does_not_belong_together_is_refused():
    images, systems, snr = training_set()
    with pytest.raises(ValueError, match="same object_id row by row"):
        judge(images, systems[::-1], snr)
    with pytest.raises(ValueError, match="one number for each system"):
        judge(images, systems, snr[:-1])
    systems["label"] = 1
    with pytest.raises(ValueError, match="200 lenses among 200 images"):
        judge(images, systems, snr)
