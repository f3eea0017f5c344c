"""Batch generation of identity-preserving video with Stand-In on Wan2.1/2.2."""

__version__ = "0.1.0"
