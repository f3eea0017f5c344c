"""A small drawn world: characters, portraits of them, and clips in which they act. Knows nothing of models.

Everything is decided by a seed (numpy's Philox) and drawn from flat shapes with OpenCV. Lengths are in units of a
96th of the picture's height, so that the same scene can be drawn at any size.
"""
