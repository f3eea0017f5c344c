"""The Ray backend: one actor for each GPU of a machine or of a cluster, under one driver."""

from __future__ import annotations

from standin_batch.backends.ray.running import run_ray

__all__ = ["run_ray"]
