"""
A trained classifier as an ONNX graph, written node by node, and its int8 form.

Written by hand because the fused operators (Attention, SkipLayerNormalization, BiasGelu) are
what runs fast and quantizes well; a traced graph has to be pattern-matched back to them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor

from models.train.batches import TOKENS_MAX
from models.train.encoder import EPSILON, Layer
from models.train.heads import FORKED, Classifier

OPSET = 17
FUSED = "com.microsoft"
QUANTIZED = ["MatMul", "Gather"]
# Heads whose outputs are logits; those of one number pass a sigmoid.
RAW = ("task", "language", "attacks")
TRAINING_ONLY = ("failing",)
INPUTS = ("input_ids", "attention_mask")


class Graph:
    """Collects nodes and weights under made-up names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, value: Tensor | NDArray[np.generic]) -> str:
        """A constant of the graph."""
        array = value if isinstance(value, np.ndarray) else value.detach().float().numpy()
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(
        self, kind: str, inputs: list[str], output: str, domain: str = "", **more: object
    ) -> str:
        """A node with one output, named like it."""
        self.nodes.append(
            helper.make_node(kind, inputs, [output], name=f"{output}/{kind}", domain=domain, **more)
        )
        return output

    def split(self, source: str, outputs: list[str]) -> None:
        """Equal parts of the last axis."""
        self.nodes.append(
            helper.make_node("Split", [source], outputs, name=f"{source}/Split", axis=-1)
        )


def graph_of(model: Classifier) -> tuple[onnx.ModelProto, list[str]]:
    """The ONNX model in float32, and the names of the nodes that must stay so."""
    graph = Graph()
    before = hidden = embedded(graph, model)
    graph.add("Cast", ["attention_mask"], "mask32", to=TensorProto.INT32)
    for at, part in enumerate(model.encoder.layers):
        before, hidden = hidden, layer(graph, f"layer{at}", part, hidden)
    forked = None if model.fork is None else layer(graph, "fork", model.fork, before)
    outputs, precise = answers(graph, model, hidden, forked)
    ids, mask = (
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in INPUTS
    )
    built = helper.make_model(
        helper.make_graph(graph.nodes, "encoder", [ids, mask], outputs, graph.weights),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)],
        ir_version=9,
    )
    onnx.checker.check_model(built)
    return built, precise


def embedded(graph: Graph, model: Classifier) -> str:
    """The first hidden state."""
    encoder = model.encoder
    graph.add("Gather", [graph.weight("words", encoder.words.weight), "input_ids"], "word_rows")
    graph.add("Shape", ["input_ids"], "width", start=1, end=2)
    for name, value in (("zero", [0]), ("one_axis", [1]), ("row_axis", [0])):
        graph.weight(name, np.array(value, dtype=np.int64))
    places = graph.weight("places", encoder.positions.weight[:TOKENS_MAX])
    graph.add("Slice", [places, "zero", "width", "row_axis"], "place_rows")
    graph.add("Add", ["word_rows", "place_rows"], "summed")
    scale = graph.weight("norm.weight", encoder.norm.weight)
    shift = graph.weight("norm.bias", encoder.norm.bias)
    return graph.add(
        "LayerNormalization", ["summed", scale, shift], "hidden", axis=-1, epsilon=EPSILON
    )


def layer(graph: Graph, name: str, part: Layer, hidden: str) -> str:
    """One more layer on *hidden*."""
    parts = [f"{name}.{side}" for side in "qkv"]
    graph.split(product(graph, f"{name}.qkv", part.qkv, hidden), parts)
    mixed = graph.add(
        "MultiHeadAttention",
        [*parts, "", "mask32"],
        f"{name}.mixed",
        domain=FUSED,
        num_heads=part.attention_heads,
    )
    mixed = product(graph, f"{name}.mix", part.mix, mixed)
    hidden = residual(graph, f"{name}.mix_norm", part.mix_norm, mixed, hidden)
    w, b = linear(graph, f"{name}.up", part.up)
    inner = graph.add("MatMul", [hidden, w], f"{name}.up.product")
    inner = graph.add("BiasGelu", [inner, b], f"{name}.gelu", domain=FUSED)
    inner = product(graph, f"{name}.down", part.down, inner)
    return residual(graph, f"{name}.down_norm", part.down_norm, inner, hidden)


def product(graph: Graph, name: str, part: object, hidden: str) -> str:
    """A linear layer."""
    w, b = linear(graph, name, part)
    return graph.add("Add", [graph.add("MatMul", [hidden, w], f"{name}.product"), b], f"{name}.out")


def linear(graph: Graph, name: str, part: object) -> tuple[str, str]:
    """Weight, turned for a MatMul, and bias of a linear layer."""
    return (
        graph.weight(f"{name}.weight", part.weight.t()),  # type: ignore[attr-defined]
        graph.weight(f"{name}.bias", part.bias),  # type: ignore[attr-defined]
    )


def residual(graph: Graph, name: str, norm: object, new: str, old: str) -> str:
    """
    The norm of *new* and *old* together.

    By Sum and not by Add, which the runtime would fuse with the norm to SkipLayerNormalization:
    on a CPU that takes five times as long as the two.
    """
    both = graph.add("Sum", [new, old], f"{name}.sum")
    scale = graph.weight(f"{name}.weight", norm.weight)  # type: ignore[attr-defined]
    shift = graph.weight(f"{name}.bias", norm.bias)  # type: ignore[attr-defined]
    return graph.add(
        "LayerNormalization", [both, scale, shift], f"{name}.out", axis=-1, epsilon=EPSILON
    )


def pooled_of(graph: Graph, hidden: str, name: str) -> str:
    """The mean of *hidden* over the tokens of each row."""
    graph.add("Mul", [hidden, "mask3"], f"{name}.masked")
    graph.add("ReduceSum", [f"{name}.masked", "one_axis"], f"{name}.total", keepdims=0)
    return graph.add("Div", [f"{name}.total", "count"], name)


def answers(
    graph: Graph, model: Classifier, hidden: str, forked: str | None
) -> tuple[list[onnx.ValueInfoProto], list[str]]:
    """The outputs, and the names of the nodes of the heads."""
    graph.add("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
    graph.add("Unsqueeze", ["mask", graph.weight("last", np.array([2], dtype=np.int64))], "mask3")
    graph.add("ReduceSum", ["mask", "one_axis"], "count", keepdims=1)
    pooled = pooled_of(graph, hidden, "pooled")
    own = pooled if forked is None else pooled_of(graph, forked, "fork.pooled")
    graph.add("LpNormalization", [pooled], "embedding", axis=-1, p=2)
    width = model.encoder.shape.width
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", width])]
    precise: list[str] = []
    for name, head in model.heads.items():
        if name in TRAINING_ONLY:
            continue
        w, b = linear(graph, f"head.{name}", head)
        flat = name in RAW
        graph.add("MatMul", [own if name == FORKED else pooled, w], f"{name}.product")
        precise.append(f"{name}.product/MatMul")
        graph.add("Add", [f"{name}.product", b], name if flat else f"{name}.logit")
        shape: list[str | int] = ["batch", head.out_features]
        if not flat:
            graph.add("Sigmoid", [f"{name}.logit"], f"{name}.column")
            graph.add("Squeeze", [f"{name}.column", "one_axis"], name)
            shape = ["batch"]
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    return outputs, precise


def export(model: Classifier, exact: Path, small: Path, *, per_channel: bool = True) -> None:
    """Write the float32 graph to *exact* and its dynamic int8 form to *small*."""
    built, precise = graph_of(model)
    onnx.save(built, str(exact))
    quantize_dynamic(
        str(exact),
        str(small),
        op_types_to_quantize=QUANTIZED,
        per_channel=per_channel,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=precise,
        extra_options={"MatMulConstBOnly": True, "DefaultTensorType": TensorProto.FLOAT},
    )
