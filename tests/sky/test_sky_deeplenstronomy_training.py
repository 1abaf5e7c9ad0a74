"""Training sets out of a configuration: labels, negatives, noise, and what they show."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from skywright.sky import (
    draw_lens_configuration,
    gaussian_psf,
    light_part,
    list_lens_systems,
    measure_arc_snr,
    read_lens_configuration,
    render,
    render_lens_configuration,
    simulate_lens_systems,
)
from skywright.sky.deeplenstronomy.systems import _file

DES = _file("des-lenses")


@pytest.fixture(scope="module")
def systems():
    return list_lens_systems("des-lenses", size=60)


@pytest.fixture(scope="module")
def images(systems):
    return simulate_lens_systems("des-lenses", systems)


def test_file_of_the_package_holds_lenses_and_five_kinds_of_negatives():
    simulation = read_lens_configuration(DES)
    fractions = {c.name: c.fraction for c in simulation.configurations}
    assert fractions.pop("lenses") == 0.5
    assert fractions == dict.fromkeys(
        ["galaxies without a source", "rings", "spiral arms", "mergers", "blue companions"], 0.1
    )
    assert simulation.bands == ("g", "r", "i", "z")
    for c in simulation.configurations:  # the same galaxy, with the same mass, in all
        table = draw_lens_configuration(simulation, c.label, range(200))
        sigma = np.asarray(table["PLANE_1-OBJECT_1-MASS_PROFILE_1-sigma_v-g"])
        assert 240 <= sigma.min() < 260
        colour = table["PLANE_1-OBJECT_1-LIGHT_PROFILE_1-magnitude-g"]
        colour = colour - table["PLANE_1-OBJECT_1-LIGHT_PROFILE_1-magnitude-i"]
        assert 1.2 < np.median(colour) < 2.8  # of early types at these redshifts
        assert ("PLANE_2-OBJECT_2-REDSHIFT-g" in table.colnames) == (c.name == "lenses")


def test_lenses_of_the_package_have_several_images():
    simulation = read_lens_configuration(DES)
    table = draw_lens_configuration(simulation, "CONFIGURATION_1", range(400))
    path = "PLANE_2-OBJECT_2-LIGHT_PROFILE_1-center"
    beta = np.hypot(table[f"{path}_x-g"], table[f"{path}_y-g"])
    theta = table["PLANE_1-OBJECT_1-MASS_PROFILE_1-theta_E-g"]
    assert np.mean(beta < theta) > 0.95  # an isothermal sphere then makes two
    assert 0.8 < np.median(theta) < 1.5


def test_numbers_and_labels(systems):
    assert len(systems) == 60
    names, counts = np.unique(systems["name"], return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        "lenses": 30, "galaxies without a source": 6, "rings": 6, "spiral arms": 6,
        "mergers": 6, "blue companions": 6,
    }  # fmt: skip
    np.testing.assert_array_equal(systems["label"] == 1, systems["name"] == "lenses")
    np.testing.assert_array_equal(systems["object_id"], np.arange(60))
    other = list_lens_systems("des-lenses", ["CONFIGURATION_3", "CONFIGURATION_4"], size=60)
    assert set(other["name"][other["label"] == 1]) == {"rings", "spiral arms"}


def test_classes_are_mixed():
    systems = list_lens_systems("des-lenses", size=1000)
    halves = systems["label"][:500].sum(), systems["label"][500:].sum()
    assert abs(halves[0] - halves[1]) < 5 * np.sqrt(250)
    changes = np.count_nonzero(np.diff(systems["label"]))
    assert abs(changes - 500) < 5 * np.sqrt(250)


def test_an_image_is_the_same_in_any_block_and_order(systems, images):
    order = np.random.default_rng(0).permutation(60)[:23]
    some = simulate_lens_systems("des-lenses", systems[order])
    np.testing.assert_array_equal(some.flux, images.flux[order])
    np.testing.assert_array_equal(some.variance, images.variance[order])
    np.testing.assert_array_equal(some.object_id, order)
    snr = measure_arc_snr("des-lenses", systems)
    np.testing.assert_array_equal(measure_arc_snr("des-lenses", systems[order]), snr[order])


def test_variance_is_that_of_sky_and_read_out(systems, images):
    """Against the formula of a CCD, written out (Howell 2006, eq. 4.4)."""
    simulation = read_lens_configuration(DES)
    row = int(np.flatnonzero(systems["label"] == 1)[0])
    t = draw_lens_configuration(simulation, "CONFIGURATION_1", [systems["image"][row]])[0]
    for i, band in enumerate("griz"):
        zero, exposures = t[f"magnitude_zero_point-{band}"], t[f"num_exposures-{band}"]
        time = t[f"exposure_time-{band}"] * exposures
        sky = 10 ** (-0.4 * (t[f"sky_brightness-{band}"] - zero)) * 0.263**2
        counts = (sky * time + exposures * 7**2) / time**2
        expected = counts * (10 ** (0.4 * (31.4 - zero))) ** 2
        assert images.variance[row, i, 0, 0] == pytest.approx(expected, rel=1e-5)


def test_noise_is_that_of_the_variance(images):
    corner = np.diff(images.flux[..., :12, :12].astype(float), axis=-1)
    rms = 1.4826 / np.sqrt(2) * np.median(np.abs(corner), axis=(2, 3))
    ratio = rms / np.sqrt(images.variance[:, :, 0, 0])
    np.testing.assert_allclose(np.median(ratio, axis=0), 1, atol=0.06)


def test_snr_follows_the_light_of_the_source(tmp_path, make_lens_config):
    """One magnitude more is a factor of 2.512, and without a lens there is none."""
    config = make_lens_config()
    file = tmp_path / "two.yaml"
    found = []
    for magnitude in (21.0, 22.0):
        config["SPECIES"]["GALAXY_2"]["LIGHT_PROFILE_1"]["PARAMETERS"]["magnitude"] = magnitude
        second = {**config["GEOMETRY"]["CONFIGURATION_1"], "NAME": "OTHER"}
        config["GEOMETRY"]["CONFIGURATION_2"] = second
        file.write_text(yaml.safe_dump(config))
        systems = list_lens_systems(str(file), seed=3)
        snr = measure_arc_snr(str(file), systems)
        assert (snr[systems["label"] == 0] == 0).all()
        found.append(snr[systems["label"] == 1])
    np.testing.assert_allclose(found[0] / found[1], 10**0.4, rtol=1e-5)


def test_wrong_labels_and_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="lenses names 'LENSES', expected some of CONFIGURATION_1"):
        list_lens_systems("des-lenses", ["LENSES"], size=60)
    with pytest.raises(ValueError, match="cannot be read"):
        list_lens_systems(str(tmp_path / "none.yaml"))
    with pytest.raises(ValueError, match="less than one of 5 images"):
        list_lens_systems("des-lenses", size=5)
    with pytest.raises(ValueError, match="got no systems"):
        simulate_lens_systems("des-lenses", list_lens_systems("des-lenses", size=60)[:0])


def test_a_file_called_like_that_of_the_package_goes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("des-lenses").write_text("mine")
    with pytest.raises(ValueError, match="des-lenses"):
        list_lens_systems("des-lenses")


# --- systems of different seeing, rendered together -----------------------------------------------


def test_a_system_is_the_same_whatever_it_is_rendered_with():
    rng = np.random.default_rng(2)
    n = 40
    lens = {
        "theta_e": torch.as_tensor(rng.uniform(0.5, 2, n)),
        "q": torch.as_tensor(rng.uniform(0.5, 1, n)),
    }
    source = {
        "amplitude": torch.ones(n, 1, 3, dtype=torch.float64),
        "radius": torch.as_tensor(rng.uniform(0.1, 0.6, n)),
        "n": torch.as_tensor(rng.uniform(0.5, 4, n)),
        "x0": torch.as_tensor(rng.normal(0, 0.2, n)),
    }  # fmt: skip
    fwhm = torch.as_tensor(rng.uniform(0.3, 1.8, (n, 3)))

    def draw(rows):
        parts = [{k: v[rows] for k, v in part.items()} for part in (lens, source)]
        psf = gaussian_psf(fwhm[rows])
        return render(*parts, pixels=33, scale=0.263, psf=psf).numpy()

    whole = draw(np.arange(n))
    for rows in ([5], [7, 3, 30], rng.permutation(n)[:17]):
        np.testing.assert_allclose(draw(np.asarray(rows)), whole[rows], rtol=1e-12)


def test_seeing_of_its_own_is_that_of_a_shared_one():
    lens = {"theta_e": torch.tensor([1.0, 1.0])}
    source = {"amplitude": torch.ones(2, 1, 1), "radius": 0.3, "x0": 0.1}
    together = render(lens, source, pixels=40, scale=0.2, psf=gaussian_psf([[0.6], [1.2]]))
    for i, fwhm in enumerate((0.6, 1.2)):
        alone = render(lens, source, pixels=40, scale=0.2, psf=gaussian_psf(fwhm))
        torch.testing.assert_close(together[i], alone[i], rtol=0, atol=1e-12)


# --- profiles that are ours -----------------------------------------------------------------------


def picture(name, parameters, pixels=200, scale=0.05):
    part = light_part(name, parameters, [[5.0]])
    image = render(None, part, pixels=pixels, scale=scale, psf=gaussian_psf(0.1))
    axis = (np.arange(pixels) - (pixels - 1) / 2) * scale
    return image[0, 0].numpy(), np.hypot(axis, axis[:, None]), np.arctan2(axis[:, None], axis)


def test_ring_is_a_gaussian_across():
    image, r, _ = picture("RING", {"R_ring": 2.0, "width": 0.3, "e1": 0.0, "e2": 0.0})
    assert image.sum() == pytest.approx(5, rel=2e-3)
    width = np.hypot(0.3, 0.1 / 2.3548)  # with the seeing, where the ring is all but straight
    profile = [image[abs(r - x) < 0.03].mean() for x in (2.0, 2.3, 2.6)]
    expected = np.exp(-0.5 * (np.array([0, 0.3, 0.6]) / width) ** 2)
    np.testing.assert_allclose(np.array(profile) / profile[0], expected, rtol=0.06)


def test_spiral_is_a_disc_with_two_arms():
    shape = {"R_sersic": 1.0, "arms": 2, "pitch": 0.4, "contrast": 0.8, "turn": 0.3}
    image, r, phi = picture("SPIRAL", shape | {"e1": 0.0, "e2": 0.0})
    plain, _, _ = picture("SERSIC", {"R_sersic": 1.0, "n_sersic": 1.0})
    for radius in (0.8, 1.5, 2.5):
        ring = abs(r - radius) < 0.05
        assert image[ring].mean() == pytest.approx(plain[ring].mean(), rel=0.03)
        # an arm lies where phi = turn + ln(r / R) / tan(pitch)
        mode = (image[ring] * np.exp(-2j * phi[ring])).mean()
        arm = 0.3 + np.log(radius / 1.0) / np.tan(0.4)
        assert abs(np.angle(mode * np.exp(2j * arm))) < 0.15
        assert 2 * abs(mode) / image[ring].mean() == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("RING", {"width": 0.0}, "width of RING is 0; expected it positive"),
        ("RING", {"radius": 1.0}, "RING has no parameter 'radius'"),
        ("RING", {"R_ring": np.nan}, "NaN"),
    ],
)
def test_parameters_without_meaning_are_refused(name, change, message):
    parameters = {"R_ring": 2.0, "width": 0.3, "e1": 0.0, "e2": 0.0} | change
    with pytest.raises(ValueError, match=message):
        light_part(name, parameters, [[1.0]])


def test_files_may_name_them(make_lens_config):
    config = make_lens_config()
    ring = {"magnitude": 21, "R_ring": 1.5, "width": 0.2, "e1": 0, "e2": 0}
    config["SPECIES"]["GALAXY_2"]["LIGHT_PROFILE_1"] = {"NAME": "RING", "PARAMETERS": ring}
    simulation = read_lens_configuration(config)
    table = draw_lens_configuration(simulation, "CONFIGURATION_1", range(1), seed=0)
    assert np.isfinite(render_lens_configuration(table, simulation).flux).all()
    ring["width"] = -1
    with pytest.raises(ValueError, match=r"LIGHT_PROFILE_1.PARAMETERS.width: got -1, expected a"):
        read_lens_configuration(config)
