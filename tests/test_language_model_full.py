"""Scale full: a tiny model and tokens in the same layout as Llama 3.1 8B's."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from plain_llama import plain_logits
from safetensors.numpy import save_file

from harness.card import WorkloadCard, settle_hyperparameters
from harness.errors import LevelfieldError, UsageError
from harness.records import Number
from harness.workload import Arithmetic
from workloads.catalogue import load_card, load_workload
from workloads.language_model.full import FullLanguageModel, Mapped, load_checkpoint
from workloads.llama import shape_of

FULL = load_card("language_model.full")
SIZES: dict[str, Number] = {
    "vocabulary": 29, "context": 12, "layers": 2, "width": 24, "heads": 6, "kv_heads": 2,
    "hidden": 20, "rope_base": 50.0, "rope_context": 32, "spread": 0.5,
}  # fmt: skip
TRAINING = FULL.training.model_copy(update={"train_samples": 20, "eval_samples": 7})
CARD: WorkloadCard = FULL.model_copy(update={"shape": FULL.shape | SIZES, "training": TRAINING})
SHAPE = shape_of(CARD.shape)
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
    "attention_bias": False, "mlp_bias": False, "tie_word_embeddings": False,
    "vocab_size": 29, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 6,
    "num_key_value_heads": 2, "intermediate_size": 20, "rms_norm_eps": 1e-5, "rope_theta": 50.0,
    "max_position_embeddings": 131072,
    "rope_scaling": {
        "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32, "rope_type": "llama3",
    },
}  # fmt: skip


def weights() -> dict[str, np.ndarray]:
    """Random weights under Hugging Face's names."""
    random = np.random.Generator(np.random.PCG64(0))

    def new(*shape: int) -> np.ndarray:
        return random.normal(0, 0.4, shape).astype(np.float16)

    found = {"model.embed_tokens.weight": new(29, 24), "lm_head.weight": new(29, 24)}
    found["model.norm.weight"] = new(24)
    for layer in range(2):
        own = f"model.layers.{layer}."
        found |= {own + f"self_attn.{name}_proj.weight": new(24, 24) for name in "qo"}
        found |= {own + f"self_attn.{name}_proj.weight": new(8, 24) for name in "kv"}
        found |= {own + f"mlp.{name}_proj.weight": new(20, 24) for name in ("gate", "up")}
        found[own + "mlp.down_proj.weight"] = new(24, 20)
        found |= {own + f"{n}_layernorm.weight": new(24) for n in ("input", "post_attention")}
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint in two shards with an index, and tokens."""
    held = weights()
    names = sorted(held)
    shards = {
        "model-00001-of-00002.safetensors": names[:9],
        "model-00002-of-00002.safetensors": names[9:],
    }
    for file, part in shards.items():
        save_file({name: held[name] for name in part}, tmp_path / file, {"format": "pt"})
    weight_map = {name: file for file, part in shards.items() for name in part}
    write(tmp_path / "model.safetensors.index.json", {"metadata": {}, "weight_map": weight_map})
    write(tmp_path / "config.json", CONFIG)
    random = np.random.Generator(np.random.PCG64(1))
    np.save(tmp_path / "train.npy", random.integers(0, 29, 300, dtype=np.uint32))
    np.save(tmp_path / "eval.npy", random.integers(0, 29, 12 * 7 + 1, dtype=np.uint16))
    return tmp_path


def write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), "utf-8")


def rewrite(path: Path, **changes: Any) -> None:
    write(path, json.loads(path.read_text("utf-8")) | changes)


def quiet(*_: Any) -> None:
    pass


# ---- weights

TOKENS = np.random.Generator(np.random.PCG64(2)).integers(0, 29, (3, 12))


def logits(folder: Path) -> np.ndarray:
    with torch.inference_mode():
        found: np.ndarray = load_checkpoint(SHAPE, folder)(torch.from_numpy(TOKENS)).numpy()
    return found


def test_a_checkpoint_gives_the_logits_of_plain_numpy(folder: Path) -> None:
    assert np.allclose(logits(folder), plain_logits(weights(), TOKENS, SHAPE), atol=1e-4)


def test_one_file_without_an_index_gives_the_same(folder: Path) -> None:
    expected = logits(folder)
    for path in folder.glob("model*"):
        path.unlink()
    save_file(weights(), folder / "model.safetensors")
    assert np.array_equal(logits(folder), expected)


def test_hugging_face_gives_the_same_logits(folder: Path) -> None:
    transformers = pytest.importorskip("transformers")
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.inference_mode():
        theirs = model(torch.from_numpy(TOKENS)).logits.numpy()
    assert np.allclose(logits(folder), theirs, atol=1e-4)


def spoil(folder: Path, **changes: np.ndarray | None) -> None:
    """One file, with tensors changed, added or (none) taken away."""
    for path in folder.glob("model*"):
        path.unlink()
    held = weights() | changes
    save_file({n: v for n, v in held.items() if v is not None}, folder / "model.safetensors")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lm_head.weight": None}, "lm_head.weight is missing"),
        (
            {"model.norm.weight": np.ones(25, np.float16)},
            r"model.norm.weight has the shape \(25,\)",
        ),
        ({"model.extra": np.ones(2, np.float16)}, "no such tensor"),
    ],
)
def test_a_checkpoint_of_another_model_is_refused(
    folder: Path, changes: dict[str, Any], message: str
) -> None:
    spoil(folder, **changes)
    with pytest.raises(LevelfieldError, match=message):
        load_checkpoint(SHAPE, folder)


def test_pickled_weights_are_no_weights(folder: Path) -> None:
    for path in folder.glob("model*"):
        path.unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(LevelfieldError, match=r"model.safetensors: no safetensors"):
        load_checkpoint(SHAPE, folder)
    torch.save({}, folder / "model.safetensors")
    with pytest.raises(LevelfieldError, match=r"model.safetensors: no safetensors"):
        load_checkpoint(SHAPE, folder)


def test_an_index_cannot_name_files_elsewhere(folder: Path) -> None:
    index = folder / "model.safetensors.index.json"
    rewrite(index, weight_map={"lm_head.weight": "../model.safetensors"})
    with pytest.raises(LevelfieldError, match="names no file beside it"):
        load_checkpoint(SHAPE, folder)
    rewrite(index, weight_map={"lm_head.weight": "model-00001-of-00002.safetensors"})
    with pytest.raises(LevelfieldError, match="holds other tensors than"):
        load_checkpoint(SHAPE, folder)


# ---- configuration


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_key_value_heads": 6}, "num_key_value_heads is 6, the card's model has 2"),
        ({"vocab_size": None}, "vocab_size is None"),
        ({"rope_scaling": None}, "has no rope_scaling"),
        ({"rope_scaling": {"rope_type": "yarn"}}, "not of type llama3"),
        ({"model_type": "mistral"}, "model_type is 'mistral'"),
        ({"tie_word_embeddings": True}, "tie_word_embeddings is True"),
    ],
)
def test_another_configuration_is_refused(
    folder: Path, changes: dict[str, Any], message: str
) -> None:
    rewrite(folder / "config.json", **changes)
    with pytest.raises(LevelfieldError, match=message):
        FullLanguageModel(CARD, folder).prepare(quiet)


def test_a_folder_without_a_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LevelfieldError, match=r"config.json: cannot be read"):
        FullLanguageModel(CARD, tmp_path).prepare(quiet)


# ---- tokens


def test_sequences_share_their_last_token_with_the_next(folder: Path) -> None:
    tokens = np.load(folder / "train.npy")
    mapped = Mapped(folder / "train.npy", context=12, count=20)
    rows = mapped.rows(torch.tensor([0, 19, 1]))
    assert len(mapped) == 20
    assert rows.tolist() == [tokens[12 * i : 12 * i + 13].tolist() for i in (0, 19, 1)]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(240, np.uint32), "holds 240 tokens and 20 sequences of 12 need 241"),
        (np.zeros(300, np.int64), "1 axes of int64"),
        (np.zeros((20, 13), np.uint16), "2 axes of uint16"),
        (np.array([{}] * 300), "no array of tokens"),
    ],
    ids=range(4),
)
def test_other_tokens_are_refused(folder: Path, array: np.ndarray, message: str) -> None:
    np.save(folder / "train.npy", array)
    with pytest.raises(LevelfieldError, match=message):
        FullLanguageModel(CARD, folder).prepare(quiet)


def test_a_token_that_the_vocabulary_lacks_is_refused(folder: Path) -> None:
    np.save(folder / "eval.npy", np.full(85, 29, np.uint16))
    with pytest.raises(LevelfieldError, match="token 29, and the vocabulary has 29"):
        FullLanguageModel(CARD, folder).prepare(quiet)


# ---- training


@pytest.mark.parametrize("checkpoint", [0, 1])
def test_it_trains_and_evaluates(folder: Path, checkpoint: int) -> None:
    model = FullLanguageModel(CARD, folder)
    assert len(model.prepare(quiet)) == 64
    changes: dict[str, Number] = {"initial_checkpoint": checkpoint, "global_batch_size": 4}
    hyperparameters = settle_hyperparameters(CARD.training, changes, bounded=False)
    session = model.training(hyperparameters | {"opt_base_learning_rate": 0.5}, 0, Arithmetic())
    evaluation = model.evaluation(Arithmetic())
    session.load()
    evaluation.load()
    before = evaluation.evaluate(session.model)["log_perplexity"]
    if checkpoint:
        tokens = np.load(folder / "eval.npy").astype(np.int64)
        rows = np.stack([tokens[12 * i : 12 * i + 13] for i in range(7)])
        scores = plain_logits(weights(), rows[:, :-1], SHAPE)
        scores -= np.log(np.exp(scores).sum(-1, keepdims=True))
        right = np.take_along_axis(scores, rows[:, 1:, None], 2)
        assert math.isclose(before, -right.mean(), rel_tol=1e-4)
    losses = [session.train(20) for _ in range(8)]
    assert losses[-1] < losses[0]


def test_it_needs_a_folder_and_has_no_inference(folder: Path) -> None:
    with pytest.raises(UsageError, match="--data"):
        load_workload("language_model.full")
    workload = load_workload("language_model.full", folder)
    assert isinstance(workload, FullLanguageModel)
    with pytest.raises(UsageError, match="has no inference"):
        workload.library()
