"""Writes `programs.json`: the quality that Keras on JAX reaches with the programs of tests/programs that run there.

python tests/golden/programs.py

Those with a `train_step` or a loop of their own around a GradientTape, and those that read folders, texts and tables
with TensorFlow's data sets, need Keras on TensorFlow, and are left out.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
sys.modules["sklearn"] = None

HERE = Path(__file__).parent
reached = {}
os.chdir(tempfile.mkdtemp())
for path in sorted((HERE.parent / "programs").glob("*.py")):
    program = path.read_text("utf-8").replace("import layerwise as keras", "import keras")
    names = {"__name__": "__main__"}
    try:
        exec(compile(program.replace("from layerwise import", "from keras import"), str(path), "exec"), names)
    except Exception as error:
        print(f"{path.stem}: {type(error).__name__}: {str(error)[:100]}")
    else:
        reached[path.stem] = round(float(names["quality"]), 3)
(HERE / "programs.json").write_text(json.dumps(reached, indent=1) + "\n", "utf-8")
