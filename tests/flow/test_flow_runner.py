import json
import time

import numpy as np
import pytest
from flow_plans import Package, library, plan, ref

from skywright import flow
from skywright.flow.plan import Node, RecipeError


@pytest.fixture
def steps(tmp_path, monkeypatch):
    package = Package(tmp_path, monkeypatch)
    package.write("deep", "def number():\n    return 2\n")
    package.write("middle", "from PKG.deep import number\n\ndef twice(x):\n    return number() * x\n")
    package.write("alone", "def negate(x):\n    return -x\n")
    package.write(
        "top",
        """
        from PKG import middle

        def scale(x):
            return middle.twice(x)

        def broken(x):
            raise ValueError(f"no good: {x}")
        """,
    )
    return package


def states(run):
    return {name: node["state"] for name, node in run.nodes.items()}


def test_second_run_computes_nothing(tmp_path, steps):
    nodes = {"a": 3, "b": steps.call("top.scale", ref("a")), "c": library("numpy.add", ref("b"), 1)}
    first = flow.run(plan(tmp_path, nodes, steps), workspace=tmp_path / "ws", workers=1)
    assert set(states(first).values()) == {"computed"}
    assert first["c"] == 7
    second = flow.run(plan(tmp_path, nodes, steps), workspace=tmp_path / "ws", workers=1)
    assert set(states(second).values()) == {"cached"}
    assert second.ok
    assert second.exit_code == 0
