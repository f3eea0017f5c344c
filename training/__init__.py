"""How the weights of the row `demo` were made: one package a stage, one command each; no part of the wheel."""
