"""Rules on the record of a run, each once kept and once broken."""

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import zipfile
import zlib

import numpy as np
import pytest
from astropy.table import QTable
from safetensors.numpy import save

from skywright.data import Model, artefacts
from skywright.trust import judge
from skywright.trust.rules.assess import _seeds, assess
from skywright.trust.rules.book import RULES, apply
from skywright.trust.rules.pickles import pickled_files
from skywright.trust.rules.provenance import (
    card_complete,
    ethics_said,
    reforms_filled,
    rerun_equal,
    run_recorded,
    safe_to_serve,
)
from skywright.trust.rules.record import orphan_numbers
from skywright.trust.rules.sizes import count_numbers

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
    card = {
        "use": "ranking", "not_for": "counting", "licence": "CC-BY-4.0", "cite": ["2102.02830"],
        "ethics": "no harm is known", "labels": "volunteers",
    }  # fmt: skip
    assert card_complete(card, {}).passed
    assert ethics_said(card).passed
    assert "not_for" in card_complete({**card, "not_for": ""}, {}).evidence
    assert not ethics_said({**card, "labels": ""}).passed
    assert not ethics_said({**card, "ethics": "TODO"}).passed
    assert not ethics_said({**card, "ethics": "n/a"}).passed
    assert "BSD" in card_complete({**card, "licence": "BSD"}, {}).evidence
    assert card_complete({**card, "licence": "that of the survey"}, {}).passed


@pytest.mark.parametrize(
    ("cited", "found"),
    [
        ("2102.02830", True), ("arXiv:1911.00068v2", True), ("astro-ph/9704059", True),
        ("10.1086/589989", True), ("https://doi.org/10.1093/mnras/sty1234", True),
        ("2008ApJS..176...19F", True), ("Faure et al. 2008, ApJS 176, 19", True),
        ("2113.00001", False), ("10.10/x", False), ("our paper", False), ("Faure", False),
    ],
)  # fmt: skip
def test_a_citation_can_be_found_by_what_is_said(cited, found):
    card = {
        "use": "ranking",
        "not_for": "counting",
        "licence": "MIT",
        "cite": ["1810.03993", cited],
    }
    assert card_complete(card, {}).passed == found


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
    fits = {"model": {"domain": {"hull": {"radius": 1.0}}}}
    assert safe_to_serve(["model.safetensors"], [], fits, None).passed
    assert not safe_to_serve(["model.safetensors", name], [], fits, None).passed


def test_a_model_without_domain_and_strangers_without_flag_are_found():
    fits = {"model": {"domain": {"rows": 3}}}
    assert safe_to_serve([], [], fits, {"outside": 0.0, "n": 100}).passed
    assert not safe_to_serve([], [], fits, {"outside": 0.03, "n": 100}).passed
    assert not safe_to_serve([], [], {"model": {}}, None).passed


def test_where_nothing_was_served_models_need_a_hull_to_flag_by():
    unguarded = safe_to_serve([], [], {"model": {"domain": {"rows": 3}}}, {})
    assert (unguarded.passed, unguarded.severity) == (False, "WARN")
    assert safe_to_serve([], [], {"model": {"domain": {"hull": {"radius": 1.0}}}}, {}).passed


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


def report(folder, *, verdict, evidence):
    results = {"auroc": {"value": 0.91234, "low": 0.9, "high": 0.95}}
    content = {"results": results, "verdict": verdict, "evidence": evidence}
    for place in (folder, folder / "artefacts" / "report"):
        place.mkdir(parents=True, exist_ok=True)
        (place / "report.json").write_text(json.dumps(content))
    (folder / "report.html").write_text(f"<p>{verdict}</p>")
    return orphan_numbers(folder, {"results": results})


def test_a_verdict_is_no_source_of_its_own_numbers(tmp_path):
    assert report(tmp_path, verdict="The AUROC is 0.912.", evidence={})[0] == []
    orphans, traced, _ = report(tmp_path, verdict="Of all lenses 87.31 % are found.", evidence={})
    assert (orphans, traced) == (["87.31"], 3)  # the result, the verdict, and the verdict's page
    lists = {"facts": {"hull": [0.8731], "draws": [0.8731]}}
    assert report(tmp_path, verdict="Of all 87.31 % are found.", evidence=lists)[0] == ["87.31"]


def test_it_is_said_how_often_a_typed_number_is_found_by_chance(tmp_path):
    few = report(tmp_path, verdict="The AUROC is 0.912.", evidence={})[2]
    many = {"values": np.linspace(0.8, 1, 201).tolist()}
    assert few == 1 / 40  # 0.900, the lower end
    assert report(tmp_path, verdict="The AUROC is 0.912.", evidence=many)[2] == 1


def test_numbers_of_a_model_are_those_it_computes_with(tmp_path):
    nodes = np.zeros(7, [("feature", "i4"), ("threshold", "f8"), ("leaf", "?")])
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for name, array in (("1.npy", nodes), ("2.npy", np.zeros((3, 2)))):
            with packed.open(name, "w") as member:
                np.save(member, array)
        packed.writestr("schema.json", "{}" * 1000)
    weights = {"weight": np.zeros((4, 5), np.float16), "bias": np.zeros(4)}
    model = Model({"long": "x" * 1000}, weights, stream.getvalue(), {"loss": [0.5] * 100})
    artefacts.save(model, tmp_path / "model")
    assert count_numbers(tmp_path / "model") == 20 + 4 + 7 * 3 + 6


class Trap:
    """What runs code when it is opened."""

    def __reduce__(self):
        return os.getcwd, ()


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zlib.compress])
def test_a_packed_pickle_is_a_pickle(tmp_path, pack):
    (tmp_path / "weights.dat").write_bytes(pack(pickle.dumps({"w": [0.5] * 100})))
    (tmp_path / "sound.dat").write_bytes(pack(save({"w": np.zeros(3)})))
    (tmp_path / "text.dat").write_bytes(pack(b"a table of numbers\n0.5\n."))
    assert pickled_files(tmp_path) == ["weights.dat"]


def test_pickles_in_arrays_and_archives_are_found(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    np.save(tmp_path / "numbers.npy", np.arange(3.0))
    np.savez_compressed(tmp_path / "objects.npz", a=np.arange(3), b=np.array([None, "x"]))
    np.savez(tmp_path / "numbers.npz", a=np.arange(3))
    inner = tmp_path / "objects.npz"
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as file:
        file.write(inner, "inner.bin")
    assert pickled_files(tmp_path) == ["objects.npy", "objects.npz", "outer.zip"]


def test_pickles_of_old_protocols_or_with_a_tail_are_found(tmp_path):
    for protocol in (0, 1):
        (tmp_path / f"old{protocol}.txt").write_bytes(pickle.dumps(Trap(), protocol))
    (tmp_path / "tail.dat").write_bytes(pickle.dumps(Trap()) + b"and more")
    (tmp_path / "numbers.csv").write_text("0.5\nI1\n.")
    (tmp_path / "noise.dat").write_bytes(b"V\\u12 \\x95\n")
    (tmp_path / "card.md").write_text("card\nof a model\n.")
    assert pickled_files(tmp_path) == ["old0.txt", "old1.txt", "tail.dat"]


def test_a_rule_says_what_it_lacks_and_whom_it_is_not_about():
    assert apply(RULES["U2"], {"task": "classification"}).state == "not applicable"
    assert apply(RULES["L4"], {"task": "regression"}).state == "not applicable"
    left_out = apply(RULES["B2"], {"task": "regression"})
    assert (left_out.state, left_out.stops) == ("not computed", True)
    compared = apply(RULES["M4"], {"task": "regression"})
    assert (compared.state, compared.stops) == ("not computed", True)
    assert "--complete" in compared.evidence


def test_a_telltale_feature_is_told_before_labels_are_shuffled():
    facts = {"task": "classification", "chance": 0.5, "variants": {}}
    told = apply(RULES["L6"], {**facts, "strongest": {"name": "n_obs", "value": 0.997}})
    assert (told.state, told.stops) == ("failed", True)
    assert "n_obs alone" in told.evidence
    open_ = apply(RULES["L6"], {**facts, "strongest": {"name": "n_obs", "value": 0.7}})
    assert (open_.state, open_.stops) == ("not computed", True)
    assert "gives 0.700" in open_.evidence


def test_every_seed_of_another_run_counts_and_none_while_one_is_missing():
    facts = {"headline": {"metric": "r2", "value": 0.94}, "seeds": [0.93, 0.92]}
    record = {"recipe": {"head": {"trust": {"variants": {"seeds": {"2": {"seed": [2, 3]}}}}}}}
    other = {"value": 0.95, "seeds": [0.91, 0.9]}
    assert _seeds(facts, {"seeds": {"2": other}}, record)["seeds"] == [0.93, 0.92, 0.91, 0.9]
    single = {"value": 0.91, "seeds": []}
    assert _seeds({**facts, "seeds": []}, {"seeds": {"2": single}}, record)["seeds"] == [0.94, 0.91]
    unmade = {"task": "regression", **_seeds(facts, {}, record)}
    open_ = apply(RULES["M1"], {name: fact for name, fact in unmade.items() if fact is not None})
    assert (open_.state, open_.stops) == ("not computed", True)
    assert "needs seeds: skywright trust RUN --complete" in open_.evidence
    same = {"value": 0.94, "seeds": [0.93, 0.92]}
    assert _seeds(facts, {"seeds": {"2": same}}, record)["seeds"] == [0.93, 0.92]


def test_who_fitted_a_model_has_more_to_show_than_a_simulation(tmp_path):
    folder = tmp_path / "artefacts"
    report = judge(task="simulation", rng=np.random.default_rng(0), items=QTable({"x": [1.0]}))
    artefacts.save(report, folder / "judged")
    artefacts.save(Model({"domain": {}}), folder / "net")
    nodes = {name: {"folder": f"artefacts/{name}"} for name in ("judged", "net")}
    recipe = {"head": {"trust": {"judge": "judged"}}, "nodes": {}}
    record = {**RECORD, "nodes": nodes, "recipe": recipe, "results": {}}

    def states():
        return {finding.rule: finding for finding in assess(tmp_path, record)}

    assert states()["L1"].stops
    assert "calls this a simulation, but net was fitted" in states()["L1"].evidence
    recipe["reused"] = {"net": "/another/run"}
    assert states()["L1"].state == "not applicable"
