"""`python -m layerwise` is the `layerwise` command."""

import sys

from .cli import main

sys.exit(main())
