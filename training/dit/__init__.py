"""The diffusion transformer and all that learns on it: text encoder, Stand-In adapter, VACE, a style LoRA."""
