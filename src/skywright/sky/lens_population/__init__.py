"""Strong lenses of a population: which galaxy lenses which, and what a survey sees of it."""
