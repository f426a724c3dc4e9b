"""`python -m purenet` is the command `purenet`."""

import sys

from purenet.cli import main

sys.exit(main())
