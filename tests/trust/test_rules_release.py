"""A release is written whole or not at all."""

import numpy as np
import pytest

from skywright.data import Model, artefacts
from skywright.trust.rules.finding import Finding
from skywright.trust.rules.release import release_card, write_release


def finding(rule, severity="INFO"):
    return Finding(
        rule, "a rule", "passed" if severity == "INFO" else "failed", severity, "so it is"
    )


def finished_run(folder):
    model = folder / "artefacts" / "model"
    model.mkdir(parents=True)
    (model / "config.json").write_text("{}")
    (model / "artefact.json").write_text('{"kind": "model"}')
    artefacts.save(np.arange(3), folder / "artefacts" / "rows")
    gathered = {"net": Model({"domain": {}}), "trees": Model({"domain": {}}), "seed": 3}
    artefacts.save(gathered, folder / "artefacts" / "models")
    return {
        "run": "short-1", "versions": {"skywright": "0"}, "recipe": {"head": {}},
        "nodes": {name: {"folder": f"artefacts/{name}"} for name in ("model", "rows", "models")},
        "results": {"auroc": {"value": 0.9, "low": 0.8, "high": 0.95}},
    }  # fmt: skip


def test_a_release_holds_models_and_card(tmp_path):
    record = finished_run(tmp_path / "run")
    out = tmp_path / "made" / "model"
    assert write_release(tmp_path / "run", record, [finding("P6")], {"model": {}}, None, out) == out
    assert (out / "artefacts" / "model" / "config.json").is_file()
    assert (out / "artefacts" / "models" / "part2" / "config.json").is_file()
    assert not (out / "artefacts" / "rows").exists()
    assert "0.8 to 0.95" in (out / "README.md").read_text()
    assert [p.name for p in out.parent.iterdir()] == ["model"]


def test_a_release_that_fails_leaves_nothing_behind(tmp_path):
    record = finished_run(tmp_path / "run")
    record["nodes"]["other"] = {"folder": "artefacts/other"}
    out = tmp_path / "made" / "model"
    with pytest.raises(FileNotFoundError):
        write_release(
            tmp_path / "run", record, [finding("P6")], {"model": {}, "other": {}}, None, out
        )
    assert list(out.parent.iterdir()) == []


def test_nothing_is_written_over(tmp_path):
    record = finished_run(tmp_path / "run")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "kept").touch()
    with pytest.raises(FileExistsError, match="name a new folder"):
        write_release(tmp_path / "run", record, [finding("P6")], {}, None, tmp_path / "out")
    with pytest.raises(ValueError, match="P1"):
        write_release(
            tmp_path / "run", record, [finding("P1", "ERROR"), finding("P6")], {}, None,
            tmp_path / "new",
        )  # fmt: skip
    assert not (tmp_path / "new").exists()


def test_a_card_holds_no_markup_of_its_title(tmp_path):
    record = finished_run(tmp_path / "run")
    record["recipe"]["head"]["title"] = "<script>x</script>\n# Safe for all | yes"
    card = release_card(record, [finding("P6")], {})
    assert "<script>" not in card
    assert "\n# Safe" not in card
