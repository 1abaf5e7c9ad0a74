"""The rule book: 43 checks of a run, the page they fill, and the release they guard."""
