"""Measurements: one script a question, each printing a table and writing JSON. No part of the package."""
