"""Conditions of surveys: published medians, shares, independence, bad input."""

import numpy as np
import pytest

from skywright import sky
from skywright.sky.surveys import FIELDS, LEVELS, SURVEYS


@pytest.mark.parametrize("survey", SURVEYS)
def test_conditions_are_positive_and_complete(survey):
    conditions = sky.draw_conditions(survey, 50, rng=np.random.default_rng(1))
    assert set(conditions) == set(FIELDS)
    for values in conditions.values():
        assert values.shape == (50, len(SURVEYS[survey].bands))
        assert (values > 0).all()


def test_quantiles_ascend_and_are_as_many_as_levels():
    for survey in SURVEYS.values():
        for field in FIELDS:
            for value in getattr(survey, field):
                if isinstance(value, tuple):
                    assert len(value) == len(LEVELS)
                    assert (np.diff(value) >= 0).all()


def test_draws_have_the_published_medians():
    # Abbott et al. 2018, ApJS 239, 18 (arXiv:1801.03181), section 2: median FWHM of DES.
    drawn = sky.draw_conditions("des", 4000, rng=np.random.default_rng(2))
    np.testing.assert_allclose(
        np.median(drawn["seeing"], 0), [1.12, 0.96, 0.88, 0.84, 0.90], atol=0.03
    )


def test_numbers_of_exposures_are_whole_and_have_their_shares():
    u = (np.arange(10000) + 0.5) / 10000
    number = sky.survey_value("des", "exposures", "g", u)
    assert set(number) == set(range(1, 10))
    assert (number == 4).mean() == pytest.approx(0.311, abs=2e-3)
    assert float(sky.survey_value("des", "exposures", "g", 0.0)) == 1
    assert float(sky.survey_value("des", "exposures", "g", 1.0)) == 9


def test_the_same_seed_draws_the_same():
    first, second = (
        sky.draw_conditions("delve", 5, rng=np.random.default_rng(3))["sky"] for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sdss", "sky", "g", 0.5), "expected one of des"),
        (("des", "colour", "g", 0.5), "expected one of zero_point"),
        (("des", "sky", "u", 0.5), "no band 'u'"),
        (("des", "sky", "g", 1.5), "outside 0 to 1"),
        (("des", "sky", "g", np.nan), "outside 0 to 1"),
    ],
)
def test_what_a_survey_does_not_have_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        sky.survey_value(*arguments)


def test_an_unknown_survey_is_refused():
    with pytest.raises(ValueError, match="expected one of des"):
        sky.draw_conditions("sdss", 3, rng=np.random.default_rng(1))
