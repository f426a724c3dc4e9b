"""`python -m purenet` is the command `purenet`."""

from purenet.cli import process

process()
