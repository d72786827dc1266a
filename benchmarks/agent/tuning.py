"""What the fits of both readings share: MPNet with thin matrices (LoRA), and how they learn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import MPNetConfig, MPNetModel

from hrv_shared.cli import progress
from llm_agent.encoder import MATRICES, Thin
from llm_agent.reader import Reader

RANK, ALPHA = 8, 2.0
DROPPED = 0.1


def network(weights: dict[str, np.ndarray]) -> nn.Module:
    """The published network with thin matrices beside its own; only those learn."""
    about = MPNetConfig(vocab_size=30527, max_position_embeddings=514, layer_norm_eps=1e-5)
    net = MPNetModel(about, add_pooling_layer=False)
    own = {name: torch.tensor(w) for name, w in weights.items() if name in net.state_dict()}
    left = net.load_state_dict(own, strict=False).missing_keys
    if set(left) - {"embeddings.position_ids"}:
        raise SystemExit(f"The weights lack {left}.")
    names = sorted({name.split("encoder.layer.")[1].split(".", 1)[1] for name in MATRICES})
    lora = LoraConfig(r=RANK, lora_alpha=ALPHA * RANK, target_modules=rf"encoder\.layer\.\d+\.({'|'.join(names)})")
    return get_peft_model(net, lora)


def begin_from(net: nn.Module, reader: Reader) -> None:
    """Let a network with heads start from what a reader has learned."""
    own = dict(net.named_parameters())
    heads = (
        (reader.weights, reader.bias), (reader.strength_weights, reader.strength_bias),
        (reader.inserted_weights[None], np.array([reader.inserted_bias])),
    )  # fmt: skip
    with torch.no_grad():
        for name, (out, into) in reader.tuned.items():
            for letter, matrix in (("B", out / ALPHA), ("A", into)):
                own[f"net.base_model.model.{name}.lora_{letter}.default.weight"].copy_(torch.tensor(matrix))
        for k, (weights, bias) in enumerate(heads):
            own[f"heads.{k}.weight"].copy_(torch.tensor(weights))
            own[f"heads.{k}.bias"].copy_(torch.tensor(bias))


def learn(
    net: nn.Module, batches: Sequence[Any], loss_of: Callable[[Any], torch.Tensor], *, rate: float,
    rate_of_heads: float,
) -> dict[str, np.ndarray]:
    """Go through the batches once, the rate rising for a while and then falling to none; what was learned, by name."""
    own = {name: p for name, p in net.named_parameters() if p.requires_grad}
    heads = [p for name, p in own.items() if name.startswith("heads")]
    body = [p for name, p in own.items() if not name.startswith("heads")]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": rate}, {"params": heads, "lr": rate_of_heads}], weight_decay=0.01
    )
    steps = len(batches)
    slope = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: min(1.0, (k + 1) / (0.06 * steps)) * (1 - k / steps))
    started = time.monotonic()
    with progress("Steps", total=steps) as advance:
        for batch in batches:
            optimizer.zero_grad()
            loss_of(batch).backward()
            nn.utils.clip_grad_norm_(own.values(), 1.0)
            optimizer.step()
            slope.step()
            advance(1)
    print(f"learned in {(time.monotonic() - started) / 60:.0f} minutes")
    return {name: p.detach().numpy() for name, p in own.items()}


def thin_of(learned: dict[str, np.ndarray]) -> Thin:
    """The thin matrices as the product reads them."""
    found = {}
    for name in MATRICES:
        out, into = (learned[f"net.base_model.model.{name}.lora_{letter}.default.weight"] for letter in "BA")
        found[name] = (ALPHA * out, into)
    return found
