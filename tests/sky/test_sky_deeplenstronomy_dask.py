"""A file of deeplenstronomy gives the same on a cluster of Dask as in this process."""

from pathlib import Path

import numpy as np
import pytest

from skywright.flow import load, run
from skywright.sky import simulate_lenses
from skywright.sky.deeplenstronomy import lens_recipe

SMALL = Path(__file__).parent / "small_lenses.yaml"


def test_tables_and_images_are_those_of_one_process(tmp_path):
    distributed = pytest.importorskip("distributed")
    recipe = tmp_path / "lenses.yml"
    recipe.write_text(lens_recipe(SMALL, seed=3, rows=2))  # five images, in three blocks
    local = run(load(recipe), workspace=tmp_path / "here", workers=0)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
    ) as cluster:
        remote = run(load(recipe), workspace=tmp_path / "dask", dask=cluster.scheduler_address)
    assert local.ok, local.nodes
    assert remote.ok, remote.nodes
    digests = [{n: v["digest"] for n, v in r.nodes.items()} for r in (local, remote)]
    assert {"CONFIGURATION_1", "CONFIGURATION_1_images"} <= digests[0].keys()
    assert digests[0] == digests[1]
    images = remote["CONFIGURATION_1_images"]
    np.testing.assert_array_equal(images.object_id, np.arange(5))
    whole = simulate_lenses(SMALL, seed=3)  # in one block
    np.testing.assert_array_equal(np.asarray(images.flux[:]), whole.flux)
    np.testing.assert_array_equal(np.asarray(images.variance[:]), whole.variance)
