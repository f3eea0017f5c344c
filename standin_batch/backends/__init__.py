"""Backends say where a shard of a plan runs; none of them knows what a job is made of."""
