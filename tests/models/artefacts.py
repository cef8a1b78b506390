"""A tiny encoder on disk, whose answers one can work out by hand."""

from __future__ import annotations

import hashlib
import json
import shutil

import msgspec
import numpy as np
import onnx
import tokenizers
from onnx import TensorProto, helper, numpy_helper
from tokenizers import models, normalizers, pre_tokenizers

from models.artefact import FILES
from models.cascade import Thresholds
from models.encoder_manifest import ENCODER_MANIFEST, EncoderManifest
from models.excerpt import ASK_MARK
from models.linear import FirstStage
from models.opinion import Blend
from models.scores import ATTACKS, TASK_TYPES
from models.serving_manifest import SERVING_MANIFEST, SelfTest, ServingManifest

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", ASK_MARK, *"abcdefghij")  # "a" is token 5
FIRST, LAST, MARK, TOKENS_MAX = 2, 3, 4, 16
ALWAYS = Thresholds(confident_from=1.01, tier_margin=0.0)
NEVER = Thresholds(confident_from=0.0, tier_margin=0.0)
ENCODER_ALONE = Blend(
    task_english=0.0,
    task_other=0.0,
    complexity=0.0,
    temperature=1.0,
    uncertain_below=0.5,
    complexity_from=(0.0, 1.0),
    complexity_to=(0.0, 1.0),
)
# The sum of the tokens is 10 and 12 with both ends: task types 10 and 1, complexities .10 and .12.
SELF_TEST = (SelfTest("a", TASK_TYPES[10], 0.10), SelfTest("c", TASK_TYPES[1], 0.12))


def tiny_graph() -> bytes:
    """
    Task and language: the sum of the tokens modulo 11, by a margin of 5; attacks: the first five
    of these. Complexity and need: a hundredth of the sum. Padding counts nothing.
    """
    weights = {
        "axis": [1],
        "eleven": 11,
        "values": [0.0, 5.0],
        "hundredth": 0.01,
        "from": [0],
        "to": [5],
    }
    kinds = {"values": "float32", "hundredth": "float32"}
    nodes = [
        helper.make_node("Mul", ["input_ids", "attention_mask"], ["seen"]),
        helper.make_node("ReduceSum", ["seen", "axis"], ["sum"], keepdims=0),
        helper.make_node("Mod", ["sum", "eleven"], ["label"]),
        helper.make_node("OneHot", ["label", "eleven", "values"], ["task"]),
        helper.make_node("Cast", ["sum"], ["number"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["number", "hundredth"], ["complexity"]),
        helper.make_node("Identity", ["complexity"], ["strong_need"]),
        helper.make_node("Identity", ["task"], ["language"]),
        helper.make_node("Slice", ["task", "from", "to", "axis"], ["attacks"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["rows", "tokens"])
            for name in ("input_ids", "attention_mask")
        ],
        [
            helper.make_tensor_value_info("task", TensorProto.FLOAT, ["rows", 11]),
            helper.make_tensor_value_info("complexity", TensorProto.FLOAT, ["rows"]),
            helper.make_tensor_value_info("strong_need", TensorProto.FLOAT, ["rows"]),
            helper.make_tensor_value_info("language", TensorProto.FLOAT, ["rows", 11]),
            helper.make_tensor_value_info("attacks", TensorProto.FLOAT, ["rows", 5]),
        ],
        [
            numpy_helper.from_array(np.array(value, kinds.get(name, "int64")), name)
            for name, value in weights.items()
        ],
    )
    opset = [helper.make_opsetid("", 17)]
    return onnx.helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()


def tiny_words() -> bytes:
    """A tokenizer of single letters."""
    vocabulary = {word: at for at, word in enumerate(WORDS)}
    built = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    built.normalizer = normalizers.Lowercase()
    built.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    built.add_tokens([tokenizers.AddedToken(ASK_MARK, normalized=False)])
    return built.to_str().encode()


def toml_of(manifest: msgspec.Struct) -> str:
    """Top-level values, then tables, then lists of tables."""
    members = msgspec.to_builtins(manifest)
    values = {k: v for k, v in members.items() if not holds_tables(v)}
    lines = [f"{k} = {json.dumps(v)}" for k, v in values.items()]
    for name in members.keys() - values.keys():
        value = members[name]
        for table in [value] if isinstance(value, dict) else value:
            lines.append(f"[{name}]" if isinstance(value, dict) else f"[[{name}]]")
            lines += [f"{k} = {json.dumps(v)}" for k, v in table.items()]
    return "\n".join(lines) + "\n"


def holds_tables(value):
    """Whether TOML writes it with brackets around the name."""
    return isinstance(value, dict) or (
        isinstance(value, list | tuple) and isinstance(value[0], dict)
    )


def write_artefact(
    folder, *, graph=None, thresholds=ALWAYS, self_test=SELF_TEST, half="", **changes
):
    """The tiny encoder and the shipped first stage in *folder*; *changes* are of the manifest."""
    for name in ("manifest.toml", "first_stage.npz"):
        shutil.copy(FILES / name, folder)
    files = {"encoder.onnx": graph or tiny_graph(), "words.json": tiny_words()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    sums = [hashlib.sha256(content).hexdigest() for content in files.values()]
    manifest = EncoderManifest(
        name="encoder",
        version="tiny",
        weights="encoder.onnx",
        sha256=sums[0],
        tokenizer="words.json",
        tokenizer_sha256=sums[1],
        labels=TASK_TYPES,
        languages=("en", *"bcdefghijk"),
        tokens_max=TOKENS_MAX,
        first=FIRST,
        last=LAST,
        mark=MARK,
        temperature=1.0,
        uncertain_below=0.5,
        complexity_from=(0.0, 1.0),
        complexity_to=(0.0, 1.0),
        strong_need_from=(0.0, 0.2),
        strong_need_to=(0.5, 0.7),
        attacks=ATTACKS,
        attack_scale=(1.0, 1.0, 2.0, 1.0, 1.0),
        attack_shift=(0.0, 0.0, -1.0, 0.0, 0.0),
        data_sha256="",
        measured={"accuracy": 1.0},
    )
    manifest = msgspec.structs.replace(manifest, **changes)
    serving = ServingManifest(
        first_stage=FirstStage.load(folder).version,
        encoder="encoder-tiny",
        thresholds=thresholds,
        blend=ENCODER_ALONE,
        self_test=self_test,
        measured={"accuracy": 1.0},
        half=half,
    )
    (folder / ENCODER_MANIFEST).write_text(toml_of(manifest))
    (folder / SERVING_MANIFEST).write_text(toml_of(serving))
    return folder
