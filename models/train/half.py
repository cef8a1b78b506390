"""
The graph of the encoder in float16, for GPUs: twice the size of the int8 one, so it is not shipped.

``python -m models.train.half --work var/train`` turns the ``encoder-fp32.onnx`` that finish.py has
left there into ``encoder-fp16.onnx`` in ``models/files``; ``python -m models.train.serving --half
encoder-fp16.onnx`` then names it in the manifest.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import onnx
from onnxruntime.transformers.float16 import convert_float_to_float16

from models.artefact import FILES

NAME = "encoder-fp16.onnx"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("var/train"))
    parser.add_argument("--out", type=Path, default=FILES)
    options = parser.parse_args()
    graph = onnx.load(str(options.work / "encoder-fp32.onnx"))
    half = convert_float_to_float16(graph, keep_io_types=True)
    onnx.save(half, str(options.out / NAME))
    print(f"{options.out / NAME}: {(options.out / NAME).stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
