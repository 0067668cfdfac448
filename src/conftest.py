"""Where the kernels were not compiled, modules that need them are not searched for doctests."""

from importlib.util import find_spec

needing_kernels = ["layerwise/backends/native.py", "layerwise/backends/program.py"]
collect_ignore = [] if find_spec("layerwise.backends._native") else needing_kernels
