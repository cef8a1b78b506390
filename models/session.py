"""The encoder's graph in onnxruntime: the only file that imports it."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.artefact import REMEDY, ArtefactError

try:
    import onnxruntime
except ImportError:  # neither extra is installed: the first stage answers alone, and says so
    onnxruntime = None

OUTPUTS = ("task", "complexity", "strong_need", "language", "attacks")
INPUTS = ("input_ids", "attention_mask")
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
ERRORS_ONLY = 3

# A GPU plans its memory and kernels for each shape once, so it sees few of them.
ROW_BUCKETS = (1, 2, 4, 8, 16, 32, 64)
TOKEN_BUCKETS = (16, 32, 48, 64, 96, 128)


class Outputs(msgspec.Struct, frozen=True):
    """A row for each text: *complexity* and *strong_need* are 0 to 1, the others logits."""

    task: NDArray[np.float32]  # [rows, labels]
    complexity: NDArray[np.float32]  # [rows]
    strong_need: NDArray[np.float32]  # [rows]
    language: NDArray[np.float32]  # [rows, languages]
    attacks: NDArray[np.float32]  # [rows, ATTACKS]


class Session:
    """
    One graph on one device, for one thread. Raises ArtefactError when *graph* is not what
    training exports, or the device is not there.
    """

    def __init__(self, graph: bytes, threads: int = 1, *, cuda: bool = False) -> None:
        if onnxruntime is None:
            raise ArtefactError("onnxruntime is missing: pip install 'switchyard[cpu]', or [gpu]")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = ERRORS_ONLY
        # A waiting thread that spins takes the core of the event loop.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if cuda:
            onnxruntime.preload_dlls()
        wanted = [CUDA, CPU] if cuda else [CPU]
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=wanted)
        except Exception as error:  # the library raises RuntimeError and kinds of its own
            raise ArtefactError(
                f"the encoder's graph cannot be loaded: {error}; {REMEDY}"
            ) from error
        missing = {*INPUTS, *OUTPUTS} - {
            part.name for part in (*self._session.get_inputs(), *self._session.get_outputs())
        }
        if missing:
            raise ArtefactError(f"the encoder's graph lacks {sorted(missing)}; {REMEDY}")
        self.provider: str = self._session.get_providers()[0]
        if cuda and self.provider != CUDA:
            raise ArtefactError("onnxruntime found no GPU that it can use")
        self.threads = threads

    @property
    def bucketed(self) -> bool:
        """Whether shapes are rounded up to buckets, and inputs and outputs bound."""
        return self.provider == CUDA

    def run(self, rows: list[list[int]]) -> Outputs:
        """The outputs for token ids of *rows*, padded to the longest."""
        if not self.bucketed:
            ids, mask = rectangle(rows, len(rows), max(map(len, rows)))
            return Outputs(*self._session.run(OUTPUTS, {INPUTS[0]: ids, INPUTS[1]: mask}))
        height = bucket(len(rows), ROW_BUCKETS)
        ids, mask = rectangle(rows, height, bucket(max(map(len, rows)), TOKEN_BUCKETS))
        return self._run_bound(ids, mask, len(rows))

    def _run_bound(self, ids: NDArray[np.int64], mask: NDArray[np.int64], rows: int) -> Outputs:
        """With outputs left on the device until all are there, then copied at once."""
        device = "cuda" if self.provider == CUDA else "cpu"
        binding: Any = self._session.io_binding()
        binding.bind_cpu_input(INPUTS[0], ids)
        binding.bind_cpu_input(INPUTS[1], mask)
        for name in OUTPUTS:
            binding.bind_output(name, device)
        self._session.run_with_iobinding(binding)
        return Outputs(*(found[:rows] for found in binding.copy_outputs_to_cpu()))


def has_cuda() -> bool:
    """Whether this build of onnxruntime knows GPUs; one that it can use may still be missing."""
    if onnxruntime is None:
        return False
    known: list[str] = onnxruntime.get_available_providers()
    return CUDA in known


def bucket(size: int, buckets: tuple[int, ...]) -> int:
    """The smallest of *buckets* that holds *size*; *size* itself above all of them."""
    return next((known for known in buckets if known >= size), size)


def rectangle(
    rows: list[list[int]], height: int, width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids and mask, int64[height, width]. A row too many shows one token: a mean needs one."""
    ids = np.zeros((height, width), dtype=np.int64)
    mask = np.zeros((height, width), dtype=np.int64)
    mask[len(rows) :, 0] = 1
    for at, row in enumerate(rows):
        ids[at, : len(row)] = row
        mask[at, : len(row)] = 1
    return ids, mask
