"""Public data are what they are said to be, and nothing is fetched by itself."""

import gzip
import hashlib
import os

import pytest

from skywright.data import fetch as module


@pytest.fixture
def known(monkeypatch, tmp_path):
    content = b"hello"
    facts = {"path": "a/b.csv", "sha256": hashlib.sha256(content).hexdigest()}
    files = {"b.csv": facts, "c.csv.gz": facts}
    one = module.Dataset("one", "d", "MIT", "nobody", "sub", "https://localhost:1/x", files)
    monkeypatch.setattr(module, "datasets", lambda: {"one": one})
    monkeypatch.setenv("SKYWRIGHT_DATA", str(tmp_path))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.csv").write_bytes(content)
    (tmp_path / "sub" / "c.csv.gz").write_bytes(gzip.compress(content))
    return tmp_path


def test_files_are_taken_from_the_folder(known):
    assert module.path("one") == known / "sub"
    assert module.fetch("one") == known / "sub"


def test_an_altered_file_is_refused(known):
    (known / "sub" / "b.csv").write_bytes(b"hullo")
    with pytest.raises(ValueError, match="is not the file"):
        module.path("one")


def test_a_truncated_file_is_refused(known):
    whole = (known / "sub" / "c.csv.gz").read_bytes()
    (known / "sub" / "c.csv.gz").write_bytes(whole[:-6])
    with pytest.raises(ValueError, match="cannot be read"):
        module.path("one")


def test_a_missing_file_says_what_to_do(known):
    (known / "sub" / "b.csv").unlink()
    with pytest.raises(FileNotFoundError, match="skywright data fetch one"):
        module.path("one")


def test_unknown_name(known):
    with pytest.raises(KeyError, match="there are one"):
        module.path("two")


def test_without_a_network_the_way_out_is_named(known, monkeypatch):
    monkeypatch.delenv("SKYWRIGHT_DATA")
    monkeypatch.setattr(module, "_cache", lambda: known / "cache")
    with pytest.raises(OSError, match="set SKYWRIGHT_DATA"):
        module.fetch("one")


def test_registry_is_complete():
    for dataset in module.datasets().values():
        assert dataset.licence
        assert dataset.cite
        assert dataset.url.startswith("https://raw.githubusercontent.com/")
        assert all(len(facts["sha256"]) == 64 for facts in dataset.files.values())


@pytest.mark.skipif(
    not os.environ.get("SKYWRIGHT_DATA"), reason="SKYWRIGHT_DATA names no folder of public data"
)
def test_the_folder_holds_what_the_registry_says():
    for name in module.datasets():
        assert module.path(name).exists()
