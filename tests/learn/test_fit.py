"""The fit loop: learning, determinism, resuming, refusing."""

import math
import os
import signal
import subprocess
import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from skywright.data.splits import digest_rows
from skywright.find import predict
from skywright.learn import fit
from skywright.nets import ResNet

SMALL = {"options": {"width": 8}, "epochs": 3, "seed": 4}


def _fit(arcs, **changes):
    images, labels, roles, _ = arcs
    given = {"images": images, "labels": labels, "roles": roles} | SMALL | changes
    return fit(ResNet, **given)


def _same(first, second):
    assert first.weights.keys() == second.weights.keys()
    for name, value in first.weights.items():
        assert np.array_equal(value, second.weights[name]), name
    assert first.history == second.history
    assert first.config == second.config
    assert first.card == second.card


def test_learns_arcs_from_companions(arcs, fitted):
    images, labels, roles, _ = arcs
    scores = predict(fitted, images, roles=roles)
    assert roc_auc_score(labels[roles == "test"], scores.mean) > 0.85


def test_shuffled_labels_give_chance(arcs):
    images, labels, roles, _ = arcs
    shuffled = np.random.default_rng(8).permutation(labels)
    model = _fit(arcs, labels=shuffled, epochs=4)
    scores = predict(model, images, roles=roles)
    # 100 rows: the standard deviation of the area is 0.058
    assert 0.3 < roc_auc_score(shuffled[roles == "test"], scores.mean) < 0.7


def test_history_and_config_hold_what_the_rule_book_needs(fitted):
    assert fitted.history["epoch"] == list(range(24))
    assert all(math.isfinite(v) and v > 0 for v in fitted.history["gradient_norm"])
    best = int(np.argmin(fitted.history["validation_loss"]))
    assert fitted.config["training"]["best_epoch"] == best
    assert fitted.config["training"]["rows"] == 200
    assert 0.4 < fitted.config["training"]["prevalence"] < 0.6
    assert fitted.config["scaling"]["fitted_rows"] is None
    assert fitted.config["domain"]["scale_arcsec"] == pytest.approx(0.2)
    for text in ("Domain of validity", "g, r, i", "nJy", "seed: 1", "rows: 200"):
        assert text in fitted.card


def test_same_seed_same_bits_and_progress_is_told(arcs):
    told = []
    first = _fit(arcs, progress=told.append)
    _same(first, _fit(arcs))
    assert told == pytest.approx([1 / 3, 2 / 3, 1])
    other = _fit(arcs, seed=5)
    assert any(not np.array_equal(v, other.weights[k]) for k, v in first.weights.items())


def test_training_goes_on_from_the_weights_of_another_net(arcs, fitted):
    settings = {"epochs": 1, "learning_rate": 1e-9, "weight_decay": 0.0, "start": fitted}
    started = _fit(arcs, **settings)
    for name, value in fitted.weights.items():
        if "running" not in name and "num_batches" not in name:
            np.testing.assert_allclose(started.weights[name], value, atol=1e-6)
    assert started.history["validation_loss"][0] < 0.69
    assert started.config["training"]["start_rows"] == 200
    assert "start rows: 200" in started.card
    cold = _fit(arcs, **settings, warm=False)
    _same(cold, _fit(arcs, **settings | {"start": None}))
    assert not np.array_equal(cold.weights["head.weight"], started.weights["head.weight"])


def test_a_start_of_another_net_is_refused(arcs, fitted):
    with pytest.raises(ValueError, match="start holds the net .* expected"):
        _fit(arcs, options={"width": 4}, start=fitted)
    images = arcs[0]
    smaller = replace(
        images, flux=images.flux[..., :-2, :-2], variance=images.variance[..., :1, :1]
    )
    with pytest.raises(ValueError, match="on images of the same size"):
        _fit(arcs, images=smaller, start=fitted)


def test_the_rows_behind_a_start_are_told(arcs, fitted):
    images, labels, roles, _ = arcs
    turned = np.where(
        roles == "train", "validation", np.where(roles == "validation", "train", roles)
    )
    second = _fit(arcs, roles=turned, epochs=1, start=fitted)
    third = _fit(arcs, epochs=1, start=second)
    told = third.config["training"]["start_rows_sha256"]
    for rows in (turned == "train", roles == "train"):
        assert digest_rows(np.flatnonzero(rows)) in told


def test_bits_do_not_depend_on_the_threads_of_the_caller(arcs):
    before = torch.get_num_threads()
    filled = torch.utils.deterministic.fill_uninitialized_memory
    models = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            models.append(_fit(arcs, epochs=1))
            assert torch.get_num_threads() == threads
            assert torch.utils.deterministic.fill_uninitialized_memory is filled
    finally:
        torch.set_num_threads(before)
    _same(*models)


def test_test_rows_are_never_read(arcs):
    images, labels, roles, _ = arcs
    flux = images.flux.copy()
    flux[roles == "test"] = np.nan
    changed = np.where(roles == "test", 1 - labels, labels)
    _same(_fit(arcs), _fit(arcs, images=replace(images, flux=flux), labels=changed))


def test_images_on_disk_are_read_in_blocks(arcs, tmp_path, monkeypatch):
    images, labels, roles, _ = arcs
    monkeypatch.setattr("skywright.learn.batches._CHUNK", 37)
    monkeypatch.setattr("skywright.learn.batches._CHUNKS_IN_MEMORY", 2)
    monkeypatch.setattr("skywright.learn.batches.PRELOAD_BYTES", 1)
    with h5py.File(tmp_path / "images.h5", "w") as file:
        file["flux"], file["variance"] = images.flux, images.variance
        lazy = replace(images, flux=file["flux"], variance=file["variance"])
        model = _fit(arcs, images=lazy, epochs=8)
        scores = predict(model, lazy, roles=roles)
    assert roc_auc_score(labels[roles == "test"], scores.mean) > 0.7


HEAD = """
import os, signal, sys
from pathlib import Path
import numpy as np
from skywright.data import Images
import astropy.units as u
from skywright.learn import fit
from skywright.nets import ResNet

data = np.load(sys.argv[1])
images = Images(data["flux"], ("g", "r", "i"), u.nJy, 0.2 * u.arcsec, data["object_id"],
                variance=data["variance"], psf_fwhm=np.full(3, 2.5))
given = dict(images=images, labels=data["labels"], roles=data["roles"], options={"width": 8},
             seed=4)
"""

KILLED = """
def kill(done):
    if done > 0.45:
        os.kill(os.getpid(), signal.SIGKILL)

fit(ResNet, epochs=4, scratch=Path(sys.argv[2]), progress=kill, **given)
"""

TWO = """
one, two = (fit(ResNet, epochs=2, devices=devices, **given).history for devices in (1, 2))
np.testing.assert_allclose(two["train_loss"], one["train_loss"], atol=0.02)
np.testing.assert_allclose(two["validation_loss"], one["validation_loss"], atol=0.02)
assert two != one
"""


def _run(arcs, folder, code):
    images, labels, roles, _ = arcs
    arrays = {"flux": images.flux, "object_id": images.object_id, "variance": images.variance}
    np.savez(folder / "data.npz", labels=labels, roles=roles, **arrays)
    (folder / "scratch").mkdir()
    command = [sys.executable, "-c", HEAD + code, folder / "data.npz", folder / "scratch"]
    return subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False)


def test_killed_after_epoch_two_ends_with_the_same_bits(arcs, tmp_path):
    assert _run(arcs, tmp_path, KILLED).returncode == -signal.SIGKILL
    scratch = tmp_path / "scratch"
    assert (scratch / "last.ckpt").exists()
    told = []
    resumed = _fit(arcs, epochs=4, scratch=scratch, progress=told.append)
    assert told == pytest.approx([3 / 4, 1])  # epochs 1 and 2 were not repeated
    _same(resumed, _fit(arcs, epochs=4))
    told.clear()
    _same(resumed, _fit(arcs, epochs=4, scratch=scratch, progress=told.append))
    assert told == []  # a finished training is only read


def test_two_devices_share_the_work(arcs, tmp_path):
    assert _run(arcs, tmp_path, TWO).returncode == 0


def test_early_stop_survives_a_resume(arcs, tmp_path):
    stopped = _fit(arcs, epochs=12, patience=1, learning_rate=0.5, scratch=tmp_path)
    assert len(stopped.history["epoch"]) < 12
    again = _fit(arcs, epochs=12, patience=1, learning_rate=0.5, scratch=tmp_path)
    _same(stopped, again)


def test_scratch_of_another_training_is_refused(arcs, tmp_path):
    _fit(arcs, epochs=1, scratch=tmp_path)
    with pytest.raises(ValueError, match="another training"):
        _fit(arcs, epochs=1, seed=9, scratch=tmp_path)


def test_fraction_keeps_whole_galaxies(arcs):
    groups = np.arange(360) // 4
    model = _fit(arcs, epochs=1, groups=groups, fraction=0.5)
    assert model.config["training"]["rows"] == 100
    assert model.config["training"]["fraction"] == 0.5
    assert model.config["training"]["whole_sha256"] == digest_rows(
        np.flatnonzero(arcs[2] == "train")
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.ones(360, dtype=int)}, "labels of one class only"),
        ({"labels": np.zeros(10, dtype=int)}, "10 labels for 360 rows"),
        ({"labels": np.arange(360)}, "expected 0 and 1"),
        ({"roles": np.array(["train"] * 360)}, "no row has the role 'validation'"),
        ({"roles": np.array(["train"] * 9)}, "9 roles for 360 rows"),
        ({"fraction": 0.0}, "fraction is 0.0"),
    ],
)
def test_unusable_rows_are_refused(arcs, change, message):
    with pytest.raises(ValueError, match=message):
        _fit(arcs, **change)


def test_pixels_that_are_not_finite_must_be_masked(arcs):
    images = arcs[0]
    flux = images.flux.copy()
    flux[3, 0, 5, 5] = np.nan
    bad = replace(images, flux=flux)
    with pytest.raises(ValueError, match=r"1 of \d+ images have NaN .* row 3"):
        _fit(arcs, images=bad, epochs=1)
    mask = np.zeros(flux[:, 0].shape, dtype=bool)
    mask[3, 5, 5] = True
    assert _fit(arcs, images=replace(bad, mask=mask), epochs=1).weights


def test_only_architectures_of_the_package_can_be_saved(arcs):
    class Foreign(ResNet):
        pass

    images, labels, roles, _ = arcs
    with pytest.raises(ValueError, match="not an architecture of skywright.nets"):
        fit(Foreign, images=images, labels=labels, roles=roles, epochs=1)
