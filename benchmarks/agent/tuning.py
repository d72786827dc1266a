"""What the fits of the reader and of ``other_text`` share: MPNet with thin matrices (LoRA), and how they learn."""

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

RANK = 8
RATE, RATE_OF_HEADS = 6e-4, 3e-3
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
    lora = LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=rf"encoder\.layer\.\d+\.({'|'.join(names)})")
    return get_peft_model(net, lora)


def learn(
    net: nn.Module, batches: Sequence[Any], loss_of: Callable[[Any], torch.Tensor], n_texts: int
) -> dict[str, np.ndarray]:
    """Go through the batches once, the rate rising for a while and then falling to none; what was learned, by name."""
    own = {name: p for name, p in net.named_parameters() if p.requires_grad}
    heads = [p for name, p in own.items() if name.startswith("heads")]
    body = [p for name, p in own.items() if not name.startswith("heads")]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": RATE}, {"params": heads, "lr": RATE_OF_HEADS}], weight_decay=0.01
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
    print(f"learned from {n_texts} texts in {(time.monotonic() - started) / 60:.0f} minutes")
    return {name: p.detach().numpy() for name, p in own.items()}


def thin_of(learned: dict[str, np.ndarray]) -> Thin:
    """The thin matrices as the product reads them."""
    found = {}
    for name in MATRICES:
        out, into = (learned[f"net.base_model.model.{name}.lora_{letter}.default.weight"] for letter in "BA")
        found[name] = (2.0 * out, into)  # alpha is twice the rank
    return found
