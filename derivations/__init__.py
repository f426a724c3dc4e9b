"""Proofs of the equations of neural networks, for every size, checked step by step."""
