"""Wan's video VAE at width 16, trained from nothing."""
