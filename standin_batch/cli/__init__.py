"""The command line: one module for each command. Only `main` catches errors."""
