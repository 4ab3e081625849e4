"""`python -m metaunetr`: the command line."""

import sys

from metaunetr.cli import main

sys.exit(main())
