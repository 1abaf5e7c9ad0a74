from typer.testing import CliRunner

from skywright.cli import app


def call(*arguments):
    return CliRunner().invoke(app, ["data", *arguments])


def test_data_sets_are_listed():
    result = call("list")
    assert result.exit_code == 0
    assert "euclid-lens" in result.stdout


def test_unknown_name_is_exit_2():
    result = call("path", "no-such-data")
    assert result.exit_code == 2
    assert "no-such-data" in result.stderr
    assert "Traceback" not in result.stderr


def test_absent_data_is_exit_1(tmp_path, monkeypatch):
    monkeypatch.setenv("SKYWRIGHT_DATA", str(tmp_path))
    result = call("path", "euclid-lens")
    assert result.exit_code == 1
    assert result.stderr.startswith("skywright: ")
