from importlib.resources import files
from pathlib import Path

import pytest

from skywright.trust.rules.book import RULES
from skywright.trust.rules.pages import how_to_mend, read_page

HEADINGS = ["What it checks", "An example that fails", "How to mend it"]
DOCS = Path(__file__).parents[2] / "docs" / "rules"


@pytest.fixture(params=RULES)
def rule(request):
    return RULES[request.param]


def test_page_has_its_title_and_four_parts(rule):
    first, *lines = read_page(rule.id).splitlines()
    assert first == f"# {rule.id}: {rule.title}"
    assert [line[3:] for line in lines if line.startswith("## ")] == HEADINGS
    parts = "\n".join(lines).split("\n## ")
    assert all(part.partition("\n")[2].strip() for part in parts)


def test_page_names_the_severity_of_its_rule(rule):
    checks = read_page(rule.id).partition("## What it checks")[2].partition("\n## ")[0]
    assert rule.severity in checks


def test_example_is_the_line_that_is_printed(rule):
    example = read_page(rule.id).partition("## An example that fails")[2].partition("\n## ")[0]
    assert f"{rule.id} {rule.title}: " in example


def test_advice_is_short_and_stands_alone(rule):
    advice = how_to_mend(rule.id)
    assert 0 < len(advice) < 240
    assert advice.endswith((".", "`"))
    assert not advice.startswith(("#", "-", "```"))


def test_page_is_short(rule):
    lines = read_page(rule.id).splitlines()
    assert 12 <= len(lines) <= 30


def test_no_page_without_a_rule():
    folder = files("skywright.trust.rules").joinpath("pages")
    assert {entry.name for entry in folder.iterdir()} == {f"{rule}.md" for rule in RULES}


def test_unknown_rule_is_refused_by_name():
    with pytest.raises(KeyError, match="no rule 'L9'"):
        read_page("L9")


def test_docs_show_the_page_and_list_it(rule):
    assert f"skywright/trust/rules/pages/{rule.id}.md" in (DOCS / f"{rule.id}.md").read_text()
    row = f"| [{rule.id}]({rule.id}.md) | {rule.title} | {rule.severity} | "
    assert row in (DOCS / "index.md").read_text()
