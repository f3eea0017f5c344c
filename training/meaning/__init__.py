"""Measures what the trained demo model means by its clips: who is in them, where, doing what, and how it is drawn."""
