# What can be done with a clone; tools/install.py builds .venv from nothing and is quick when it
# is there. Another Python: make PYTHON=python3.12 demo
PYTHON ?= python3

.PHONY: install demo test verify bench docs clean
.NOTPARALLEL:

install:
	@$(PYTHON) tools/install.py all

demo:
	@$(PYTHON) tools/install.py demo
	.venv/bin/skywright run lens-search --preset small

test:
	@$(PYTHON) tools/install.py all
	@.venv/bin/python tools/checks.py

verify:
	@$(PYTHON) tools/install.py all
	@.venv/bin/python tools/run_scripts.py verify

bench:
	@$(PYTHON) tools/install.py all
	@.venv/bin/python tools/run_scripts.py benchmarks

docs:
	@$(PYTHON) tools/install.py all
	.venv/bin/sphinx-build -W --keep-going -q docs docs/_build/html
	@echo "docs/_build/html/index.html"

# Runs are results: .skywright is left alone.
clean:
	rm -rf .venv docs/_build build dist .pytest_cache .mypy_cache .ruff_cache
	rm -rf .import_linter_cache .hypothesis
	find src tests tools verify benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +
