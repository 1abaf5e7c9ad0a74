"""The page: verdict first, nothing from outside, nothing from data unescaped."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from skywright.data import Images
from skywright.data.planes import Plane
from skywright.data.psf import Psf
from skywright.data.survey import Survey, Tile
from skywright.trust import judge_search, search_report
from skywright.trust.composites import colour_composite
from skywright.trust.resampling import poisson_interval

HOSTILE = "<script>alert(1)</script>"
N, GALAXIES, SIZE = 400, 60, 12


class Page(HTMLParser):
    """What a browser would meet."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.loads, self.links, self.texts = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "poster", "data") or (tag == "link" and name == "href"):
                self.loads.append(value)
            elif name in ("href", "xlink:href"):
                self.links.append(value)

    def handle_data(self, data):
        self.texts.append(data)


def judge(rng):
    """Return a truth and what the judge says of scores that know part of it."""
    label = np.arange(N) % 2
    group = np.arange(N) % GALAXIES
    snr = 2 * 50 ** rng.random(N)
    truth = QTable(
        {
            "object_id": np.arange(N) + 1000,
            "group": group,
            "label": label,
            "kind": np.where(label == 1, "lens", HOSTILE),
            "theta_e_fwhm": 8 ** rng.random(N),
            "snr": snr,
        }
    )
    logit = rng.normal(np.where(label == 1, np.log(snr), -2.0))
    net = QTable({"fold": group % 4, "object_id": truth["object_id"], "mean": logit})
    features = QTable(
        {"object_id": truth["object_id"], "arc_statistic": logit, "flux": rng.normal(size=N)}
    )
    epochs = np.tile(np.arange(3), 2)
    curves = QTable(
        {
            "fold": np.repeat([0, 1], 3),
            "seed": np.zeros(6, int),
            "epoch": epochs,
            "train_loss": 1.0 / (1 + epochs),
            "validation_loss": 1.2 / (1 + epochs),
        }
    )
    judged = judge_search(
        truth,
        net,
        net,
        features,
        prevalence=0.005,
        budget=0.02,
        rng=rng,
        resamples=50,
        curves=curves,
    )
    return truth, judged


def facts():
    """Return a survey, its point spread function and a ranked list, with hostile names."""
    plane = Tile(name=HOSTILE + ".fits", shape=(18000, 18000), flux=(Plane("a.fits", "0"),) * 3)
    ranked = QTable(
        {
            "object_id": np.arange(GALAXIES),
            "probability": np.linspace(0.4, 0.001, GALAXIES),
            "ra": np.full(GALAXIES, 150.11625),
            "dec": np.full(GALAXIES, -2.5),
            "einstein_radius": np.linspace(1, 2, GALAXIES) * u.arcsec,
            "rank": np.arange(GALAXIES) + 1,
            "inspect": np.arange(GALAXIES) < 30,
            "known": np.isin(np.arange(GALAXIES), [3, 40]),
        },
        meta={"known": 4, "known_judged": 2, "known_inspected": 1},
    )
    psf = Psf(
        bands=("g", "r", "i"), fwhm=np.full(3, 4.5), beta=np.full(3, 3.0), origin=HOSTILE, stars=9
    )
    survey = Survey(
        tiles=(plane,), bands=("g", "r", "i"), unit=u.nJy, scale=0.2 * u.arcsec, reason=HOSTILE
    )
    return {"survey": survey, "psf": psf, "ranked": ranked}


@pytest.fixture(scope="module")
def inputs():
    rng = np.random.default_rng(0)
    truth, judged = judge(rng)
    flux = rng.normal(0, 1, (N, 3, SIZE, SIZE)) + 20
    options = {"bands": ("g", "r", "i"), "unit": u.nJy, "scale": 0.2 * u.arcsec}
    found = facts()
    return {
        "judged": judged,
        "candidates": found["ranked"],
        "cutouts": Images(flux=flux[:GALAXIES], object_id=np.arange(GALAXIES), **options),
        "truth": truth,
        "painted": Images(flux=flux, object_id=np.asarray(truth["object_id"]), **options),
        "facts": found,
    }


@pytest.fixture(scope="module")
def report(inputs):
    return search_report(**inputs)


def test_the_page_needs_nothing_from_outside(report):
    page = Page(report.html)
    assert page.loads
    assert all(load.startswith("data:image/png;base64,") for load in page.loads)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(page.tags)
    assert not re.search(r"@import|url\(\s*['\"]?(?!#)", report.html)
    assert "http" not in report.html
    relative = {link for link in page.links if not link.startswith("#")}
    assert relative == {"report.json", "provenance.json", "recipe.yml"}


def test_inner_references_have_exactly_one_target(report):
    ids = re.findall(r'\bid="([^"]+)"', report.html)
    targets = {link[1:] for link in Page(report.html).links if link.startswith("#")}
    targets |= set(re.findall(r"url\(#([^)]+)\)", report.html))
    assert targets <= set(ids)


def test_hostile_names_are_text(report):
    assert "<script" not in report.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in report.html
    shown = "".join(Page(report.html).texts)
    assert HOSTILE in shown


def test_the_verdict_comes_first_and_in_full(report, inputs):
    page = Page(report.html)
    body = " ".join("".join(page.texts).split())
    headline, rest = inputs["judged"].verdict.split(". ", 1)
    assert report.html.index("<h1>") < report.html.index("<table>")
    assert body.index(headline) < body.index("The network beside its baselines")
    assert " ".join(rest.split()) in body
    assert "Nothing here is confirmed." in body


def test_numbers_of_the_table_are_those_of_the_results(report):
    for name in ("recall", "auroc", "tpr0", "boosting.recall", "flux.auroc", "calibration_slope"):
        result = report.results[name]
        digits = {"auroc": 4, "flux.auroc": 4, "calibration_slope": 2}.get(name, 3)
        cell = "{value:.{d}f}<small>{low:.{d}f} to {high:.{d}f}</small>".format(d=digits, **result)
        assert f"<td>{cell}</td>" in report.html


def test_candidates_are_shown_in_order_with_position_and_radius(report):
    shown = report.evidence["gallery"]
    assert [c["rank"] for c in shown] == list(range(1, 25))
    assert "150.11625°, -2.50000°" in report.html
    assert "≈ 1″" in report.html
    assert report.html.count('alt="candidate ') == 24


def test_survey_figures_follow_from_area_and_published_density(report):
    area = (18000 * 0.2 / 3600) ** 2
    results = report.results
    assert results["area"]["value"] == pytest.approx(area)
    assert results["candidates"]["value"] == 30
    assert results["candidates_per_deg2"]["value"] == pytest.approx(30 / area)
    assert results["candidates_per_deg2"]["high"] == pytest.approx(poisson_interval(30)[1] / area)
    assert results["expected_lenses"]["value"] == pytest.approx(20 / 1.64 * area)
    assert results["known.recall"]["value"] == 0.25
    assert results["known.recall"]["n"] == 4
    assert "2 were judged at all" in report.html


def test_known_lenses_outside_the_field_are_not_forgotten(inputs):
    ranked = inputs["facts"]["ranked"].copy()
    ranked.meta |= {"known": 0, "known_judged": 0, "known_inspected": 0}
    found = search_report(**{**inputs, "facts": {**inputs["facts"], "ranked": ranked}})
    assert found.results["known.judged"]["value"] == 0
    assert "none of them lies in the field" in found.html


def test_densities_are_those_of_the_area_that_was_searched(inputs):
    found = search_report(**{**inputs, "facts": {**inputs["facts"], "area": 0.5 * u.deg**2}})
    assert found.results["candidates_per_deg2"]["value"] == pytest.approx(60)
    assert found.results["expected_lenses"]["value"] == pytest.approx(20 / 1.64 / 2)


def test_a_field_without_scale_expects_no_number(inputs):
    survey = replace(inputs["facts"]["survey"], scale=None, reason="a picture")
    found = search_report(**{**inputs, "facts": {**inputs["facts"], "survey": survey}})
    assert "expected_lenses" not in found.results
    assert "no number of true lenses can be expected" in found.html


def test_many_cutouts_are_counted_and_expect_no_number(inputs):
    survey = inputs["facts"]["survey"]
    many = tuple(replace(survey.tiles[0], name=f"cutout {i}") for i in range(46))
    known = inputs["facts"] | {"survey": replace(survey, tiles=many), "area": None}
    found = search_report(**(inputs | {"facts": known}), shown=28)
    assert "the first 28 are shown" in found.html
    assert len(found.evidence["gallery"]) == 28
    assert "Strong lenses in 46 images, cutout 0 to cutout 45" in found.html
    assert "cutout 17" not in found.html
    assert "The area that was searched is unknown, so no number" in found.html
    assert "expected_lenses" not in found.results


def test_same_inputs_give_the_same_page(report, inputs):
    assert search_report(**inputs).html == report.html


def test_what_does_not_belong_together_is_refused(inputs):
    with pytest.raises(ValueError, match="row by row"):
        search_report(**{**inputs, "painted": inputs["cutouts"]})
    facts = {"survey": inputs["facts"]["survey"]}
    with pytest.raises(ValueError, match="expected survey, psf and ranked"):
        search_report(**{**inputs, "facts": facts})
    with pytest.raises(ValueError, match="has no cutout"):
        search_report(**{**inputs, "cutouts": inputs["cutouts"][30:]})


def test_composites_keep_colours_and_bear_bad_pixels():
    r = np.hypot(*np.mgrid[:21, :21] - 10)
    light = 100 * np.exp(-r / 2)
    red = colour_composite(np.stack([0.2 * light, light]), ("g", "i"))
    assert red[10, 10, 0] > red[10, 10, 2] + 30
    tiny = colour_composite(1e-22 * np.stack([0.2 * light, light]), ("g", "i"))
    assert np.abs(tiny.astype(int) - red).max() <= 1
    named = colour_composite(np.stack([light, 0.5 * light, 0.2 * light]), ("r", "g", "b"))
    assert named[10, 10, 0] > named[10, 10, 2] + 30
    broken = light.copy()
    broken[3, 3] = np.nan
    assert colour_composite(broken[None], ("r",)).max() > 100
