"""The kernel: real-valued terms with indices, their exact normal form, and their derivatives.

It knows nothing of JAX and imports nothing but the standard library (and NumPy, to evaluate terms).
Everything that a verdict "proved" rests on is here and in `purenet.prove.interpret`.
"""
