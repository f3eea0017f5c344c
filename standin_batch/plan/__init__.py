"""Planning: what runs, why, and in which order. No torch, no files."""
