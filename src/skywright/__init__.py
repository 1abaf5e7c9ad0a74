"""Survey machine learning from a simulated sky to a catalogue that can be trusted."""

__version__ = "0.1.0"
