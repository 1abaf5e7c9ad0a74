"""The command line: one Typer app; a room is imported only inside its command."""
