"""Honest measurements of CPU and GPU, in worker processes."""
