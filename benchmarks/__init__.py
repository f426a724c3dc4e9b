"""What is claimed about speed, memory and accuracy, one command each: `python -m benchmarks`."""
