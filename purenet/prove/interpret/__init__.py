"""What every JAX primitive means in index notation: a jaxpr read into terms of the kernel."""
