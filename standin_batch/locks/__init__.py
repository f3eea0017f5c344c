"""One process at a time: who holds a lock, whether that one is alive, and taking it."""
