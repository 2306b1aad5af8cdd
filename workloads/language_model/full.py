"""Scale full: Llama 3.1 8B on the user's tokens, from a folder in Hugging Face's layout."""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor

from harness.card import WorkloadCard
from harness.errors import LevelfieldError, UsageError
from harness.records import Number
from harness.workload import Arithmetic, Evaluation, Progress
from workloads.data_set import fingerprint
from workloads.language_model.training import TokenEvaluation, TokenRecipe
from workloads.library import Library
from workloads.llama import Llama, LlamaShape, shape_of
from workloads.training import ReferenceTraining

_INDEX = "model.safetensors.index.json"
_ONE_FILE = "model.safetensors"
_CONFIG_NAMES = {
    "vocabulary": "vocab_size",
    "layers": "num_hidden_layers",
    "width": "hidden_size",
    "heads": "num_attention_heads",
    "kv_heads": "num_key_value_heads",
    "hidden": "intermediate_size",
    "rope_base": "rope_theta",
    "norm_epsilon": "rms_norm_eps",
}
_SCALING_NAMES = {
    "rope_factor": "factor",
    "rope_low": "low_freq_factor",
    "rope_high": "high_freq_factor",
    "rope_context": "original_max_position_embeddings",
}
_FIXED = {"model_type": "llama", "hidden_act": "silu"}
_ABSENT = ("attention_bias", "mlp_bias", "tie_word_embeddings")


class FullLanguageModel:
    """The reference implementation at scale full; see `harness.workload.Workload`."""

    def __init__(self, card: WorkloadCard, folder: Path) -> None:
        self._card = card
        self._folder = folder

    @property
    def card(self) -> WorkloadCard:
        """Its facts."""
        return self._card

    def prepare(self, report: Progress) -> str:
        """See `Workload`: checks configuration and tokens, and hashes the tokens."""
        require_shape(self._folder / "config.json", shape_of(self._card.shape))
        report("reading tokens", 0, 1)
        context = int(self._card.shape["context"])
        wanted = {
            "train": self._card.training.train_samples,
            "eval": self._card.training.eval_samples,
        }
        used = {
            f"{part}.tokens": Mapped(self._path(part), context, count).used
            for part, count in wanted.items()
        }
        found = fingerprint(used)
        for tokens in used.values():
            self._require_known(tokens)
        report("reading tokens", 1, 1)
        return found

    def _require_known(self, tokens: NDArray[Any]) -> None:
        """`LevelfieldError` if a token is not in the vocabulary, which would fail far from here."""
        highest, vocabulary = int(tokens.max()), int(self._card.shape["vocabulary"])
        if highest >= vocabulary:
            raise LevelfieldError(
                f"{self._folder}: there is a token {highest}, and the vocabulary has {vocabulary}; "
                "use the model's own tokeniser"
            )

    def training(
        self, hyperparameters: Mapping[str, Number], seed: int, arithmetic: Arithmetic
    ) -> ReferenceTraining:
        """See `Workload`. ``initial_checkpoint`` 1 begins with the folder's weights."""
        start = self._folder if hyperparameters["initial_checkpoint"] else None
        recipe = _FullRecipe(self._card, self._read, start)
        return ReferenceTraining(recipe, hyperparameters, seed, arithmetic)

    def evaluation(self, arithmetic: Arithmetic) -> Evaluation:
        """See `Workload`."""
        return TokenEvaluation(self._card, self._read, arithmetic)

    def library(self) -> Library:
        """None at this scale: `UsageError`."""
        raise UsageError(f"{self._card.name}: has no inference; choose --scenario train")

    def _read(self, part: str, device: torch.device) -> "Mapped":
        facts = self._card.training
        count = facts.train_samples if part == "train" else facts.eval_samples
        return Mapped(self._path(part), int(self._card.shape["context"]), count, device)

    def _path(self, part: str) -> Path:
        return self._folder / f"{part}.npy"


class _FullRecipe(TokenRecipe):
    def __init__(self, card: WorkloadCard, source: Any, checkpoint: Path | None) -> None:
        super().__init__(card, source)
        self._vocabulary = int(card.shape["vocabulary"])
        self._checkpoint = checkpoint

    def model(self, generator: torch.Generator) -> Llama:
        """See `Recipe`: fresh weights, or those of the user's checkpoint."""
        if self._checkpoint is None:
            return super().model(generator)
        return load_checkpoint(self._shape, self._checkpoint)


class Mapped:
    """Sequences cut from one long row of tokens on disk; see `Sequences`.

    Sequence i begins at token i times the context, and ends with the token that the next one
    begins with: every token but the first is predicted once.
    """

    def __init__(
        self, path: Path, context: int, count: int, device: torch.device | None = None
    ) -> None:
        """Map ``path``; `LevelfieldError` unless it is one row of enough tokens."""
        tokens = _open_row(path)
        needed = count * context + 1
        if len(tokens) < needed:
            raise LevelfieldError(
                f"{path}: holds {len(tokens):,} tokens and {count:,} sequences of {context:,} "
                f"need {needed:,}; give a longer one"
            )
        self.used = tokens[:needed]
        self._rows = np.lib.stride_tricks.sliding_window_view(self.used, context + 1)[::context]
        self._device = device

    def __len__(self) -> int:
        """See `Sequences`."""
        return len(self._rows)

    def rows(self, chosen: Tensor) -> Tensor:
        """See `Sequences`."""
        found = self._rows[chosen.cpu().numpy()].astype(np.int64)
        return torch.from_numpy(found).to(self._device)


def _open_row(path: Path) -> NDArray[Any]:
    try:
        tokens: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise LevelfieldError(
            f"{path}: no array of tokens: {error}; write one with numpy.save"
        ) from error
    if tokens.ndim != 1 or tokens.dtype not in (np.uint16, np.uint32):
        raise LevelfieldError(
            f"{path}: {tokens.ndim} axes of {tokens.dtype}; give one axis of uint16 or uint32"
        )
    return tokens


def require_shape(path: Path, expected: LlamaShape) -> None:
    """`LevelfieldError` unless the ``config.json`` describes a Llama with the card's sizes."""
    config = _read_json(path)
    for name, value in {**_FIXED, **dict.fromkeys(_ABSENT, False)}.items():
        if config.get(name, value) != value:
            raise LevelfieldError(
                f"{path}: {name} is {config[name]!r}, expected {value!r}; give the card's model"
            )
    found = {ours: config.get(theirs) for ours, theirs in _CONFIG_NAMES.items()}
    scaling = config.get("rope_scaling")
    if scaling is not None:
        if not isinstance(scaling, dict) or scaling.get("rope_type") != "llama3":
            raise LevelfieldError(f"{path}: rope_scaling is not of type llama3; give such a model")
        found |= {ours: scaling.get(theirs) for ours, theirs in _SCALING_NAMES.items()}
    for field in fields(expected):
        wanted = getattr(expected, field.name)
        if field.name in found and found[field.name] != wanted:
            theirs = (_CONFIG_NAMES | _SCALING_NAMES)[field.name]
            raise LevelfieldError(
                f"{path}: {theirs} is {found[field.name]!r}, the card's model has {wanted!r}; "
                "give that model"
            )
    if scaling is None and expected.rope_factor != 1:
        raise LevelfieldError(f"{path}: has no rope_scaling, the card's model has; give that model")


def load_checkpoint(shape: LlamaShape, folder: Path) -> Llama:
    """A decoder with the weights of the folder's safetensors, in single precision.

    `LevelfieldError` unless they hold every tensor of the model in its shape, and no other.
    """
    with torch.device("meta"):
        model = Llama(shape)
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found: dict[str, Tensor] = {}
    for path, names in _shards(folder).items():
        for name, value in _read_shard(path, names).items():
            if wanted.get(name) != tuple(value.shape):
                raise LevelfieldError(
                    f"{path}: {name} has the shape {tuple(value.shape)}, expected "
                    f"{wanted.get(name, 'no such tensor')}; give the card's model"
                )
            found[name] = value.float()
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        raise LevelfieldError(f"{folder}: {missing[0]} is missing; download the checkpoint again")
    model.load_state_dict(found, assign=True)
    model.model.place_turns()
    return model


def _shards(folder: Path) -> dict[Path, set[str] | None]:
    """The files of the checkpoint, and the tensors that the index says each holds."""
    if not (folder / _INDEX).exists():
        return {folder / _ONE_FILE: None}
    shards: dict[Path, set[str] | None] = {}
    weight_map = _read_json(folder / _INDEX).get("weight_map")
    for name, file in weight_map.items() if isinstance(weight_map, dict) else ():
        if not isinstance(file, str) or Path(file).name != file:
            raise LevelfieldError(f"{folder / _INDEX}: names no file beside it: {file!r}; mend it")
        names = shards.setdefault(folder / file, set())
        assert names is not None
        names.add(name)
    return shards


def _read_shard(path: Path, names: set[str] | None) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as shard:
            held = set(shard.keys())
            if names is not None and held != names:
                raise LevelfieldError(
                    f"{path}: holds other tensors than {_INDEX} says; download the checkpoint again"
                )
            return {name: shard.get_tensor(name) for name in sorted(held)}
    except (OSError, SafetensorError) as error:
        raise LevelfieldError(
            f"{path}: no safetensors: {error}; download the checkpoint again"
        ) from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise LevelfieldError(f"{path}: cannot be read: {error}; give the model's own") from error
    if not isinstance(found, dict):
        raise LevelfieldError(f"{path}: not a JSON object; give the model's own")
    return found
