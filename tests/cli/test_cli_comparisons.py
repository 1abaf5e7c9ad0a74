"""What was compared with a run belongs to that run alone."""

from skywright.cli.comparisons import known_variants


def test_runs_in_folders_of_one_name_have_their_own_comparisons(tmp_path):
    first, second = ({"run": f"short-{i}"} for i in (1, 2))
    kept = tmp_path / "trust" / "short-1" / "variants.json"
    kept.parent.mkdir(parents=True)
    kept.write_text('{"rerun": {"nodes": 3, "different": []}}')
    assert known_variants(first, tmp_path)["rerun"]["nodes"] == 3
    assert known_variants(second, tmp_path) == {}
