"""Apply and combine: detection, features, prediction, ranking."""
