"""Rules on the record of a run, each once kept and once broken."""

import io
import pickle
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save

from skywright.trust.rules.assess import _seeds
from skywright.trust.rules.book import RULES, apply
from skywright.trust.rules.provenance import (
    card_complete,
    ethics_said,
    reforms_filled,
    rerun_equal,
    run_recorded,
    safe_to_serve,
)
from skywright.trust.rules.record import pickled_files

RECORD = {
    "run": "a",
    "recipe": {"seed": 0},
    "versions": {"numpy": "2"},
    "sources": {"a": "b"},
    "hardware": {"cores": 2},
    "seconds": 3.0,
    "threads": 1,
    "nodes": {"model": {"cost": 2.0}},
    "results": {"auroc": 0.9},
}


def test_a_record_names_what_it_lacks():
    assert run_recorded(RECORD).passed
    found = run_recorded({k: v for k, v in RECORD.items() if k != "hardware"})
    assert not found.passed
    assert "hardware" in found.evidence


def test_a_second_run_that_differs_is_found():
    assert rerun_equal({"nodes": 3, "different": []}).passed
    assert not rerun_equal({"nodes": 3, "different": ["model"]}).passed


def test_cards_name_what_they_lack():
    card = dict.fromkeys(("use", "not_for", "licence", "cite", "ethics", "labels"), "x")
    assert card_complete(card, {}).passed
    assert ethics_said(card).passed
    assert "not_for" in card_complete({**card, "not_for": ""}, {}).evidence
    assert not ethics_said({**card, "labels": ""}).passed


def test_a_checklist_with_most_items_open_is_found():
    states = dict.fromkeys(RULES, "passed")
    card = {
        "use": "x",
        "motivation": "x",
        "not_for": "x",
        "data": {"source": "x", "selection": "x", "reason": "x"},
    }
    assert reforms_filled(RECORD, card, states).number["value"] == 0
    assert not reforms_filled(RECORD, {}, {}).passed


@pytest.mark.parametrize("name", ["model.pkl", "net.PT", "a/weights.joblib"])
def test_names_of_formats_that_run_code_are_found(name):
    fits = {"model": {"domain": {"rows": 3}}}
    assert safe_to_serve(["model.safetensors"], [], fits, None).passed
    assert not safe_to_serve(["model.safetensors", name], [], fits, None).passed


def test_a_model_without_domain_and_strangers_without_flag_are_found():
    fits = {"model": {"domain": {"rows": 3}}}
    assert safe_to_serve([], [], fits, {"outside": 0.0, "n": 100}).passed
    assert not safe_to_serve([], [], fits, {"outside": 0.03, "n": 100}).passed
    assert not safe_to_serve([], [], {"model": {}}, None).passed


def archive(name):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr(name, b"x")
    return stream.getvalue()


def test_pickles_are_found_by_their_content(tmp_path):
    for protocol in (2, 3, 4, 5):
        (tmp_path / f"pickled{protocol}.dat").write_bytes(pickle.dumps([0.5], protocol))
    (tmp_path / "torch.net").write_bytes(archive("archive/data.pkl"))
    (tmp_path / "skops.net").write_bytes(archive("schema.json"))
    # a header of 1152 bytes begins with 0x80 0x04, as a pickle of protocol 4 does
    weights = {f"weight{i:03d}": np.zeros(1, np.float32) for i in range(17)}
    for pad in range(40):
        data = save(weights, {"pad": "x" * (8 * pad)})
        (tmp_path / f"weights{pad}.net").write_bytes(data)
    begins = {p.read_bytes()[:2] for p in tmp_path.glob("weights*.net")}
    assert b"\x80\x04" in begins
    (tmp_path / "page.html").write_text("<html>.")
    (tmp_path / "empty").write_bytes(b"")
    assert pickled_files(tmp_path) == [*(f"pickled{i}.dat" for i in (2, 3, 4, 5)), "torch.net"]


def test_a_rule_says_what_it_lacks_and_whom_it_is_not_about():
    assert apply(RULES["U2"], {"task": "classification"}).state == "not applicable"
    assert apply(RULES["L4"], {"task": "regression"}).state == "not applicable"
    left_out = apply(RULES["B2"], {"task": "regression"})
    assert (left_out.state, left_out.stops) == ("not computed", True)
    compared = apply(RULES["M4"], {"task": "regression"})
    assert (compared.state, compared.stops) == ("not computed", True)
    assert "--complete" in compared.evidence


def test_every_seed_of_another_run_counts_and_none_while_one_is_missing():
    facts = {"headline": {"metric": "r2", "value": 0.94}, "seeds": [0.93, 0.92]}
    record = {"recipe": {"head": {"trust": {"variants": {"seeds": {"2": {"seed": [2, 3]}}}}}}}
    other = {"value": 0.95, "seeds": [0.91, 0.9]}
    assert _seeds(facts, {"seeds": {"2": other}}, record)["seeds"] == [0.93, 0.92, 0.91, 0.9]
    single = {"value": 0.91, "seeds": []}
    assert _seeds({**facts, "seeds": []}, {"seeds": {"2": single}}, record)["seeds"] == [0.94, 0.91]
    assert _seeds(facts, {}, record)["seeds"] is None
