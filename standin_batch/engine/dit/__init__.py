"""Wan's diffusion transformer, run by our own forward on DiffSynth's modules: what `model_fn_wan_video` computes.

In float32 it differs from it by rounding only: positions are rotated in float32 instead of float64, and a
multiplication with the addition behind it is one operation. Weights, sizes and checks stay DiffSynth's.
"""
