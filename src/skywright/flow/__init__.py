"""Recipes: grammar, checks, store, runner, provenance."""
