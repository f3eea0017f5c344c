"""Scores: how good a finished clip is, by its frames alone. What is done about it is decided elsewhere."""
