"""Train the demo world's tokenizer and language model from nothing.

The tokenizer is a byte-level BPE, so any UTF-8 text can be encoded. The model is a Llama of fewer
than 3 million parameters with a context of 2,048 tokens. Fixed seed; the number of steps is fixed,
so the same machine gives the same weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isara.demo.corpus import documents
from isara.demo.world import World

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

PAD, BOS, EOS = "<pad>", "<s>", "</s>"
CONTEXT = 2048
Log = Callable[[str], None]


def build_tokenizer(
    world: World, extra: list[str], seed: int, vocabulary: int = 3072
) -> PreTrainedTokenizerFast:
    """Byte-level BPE over the world's documents and `extra` texts; adds the begin token itself."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = list(islice(documents(world, seed), 4000)) + extra
    tokenizer.train_from_iterator(texts, trainer)
    begin = tokenizer.token_to_id(BOS)
    # TRL and the Trainer tokenise by themselves: the tokenizer adds the begin token, nobody else.
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, begin)]),
        ]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        padding_side="left",
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )


def new_language_model(
    vocabulary: int, *, width: int = 192, layers: int = 5, seed: int = 0
) -> PreTrainedModel:
    """A randomly initialised small Llama."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=width * 8 // 3,
        num_hidden_layers=layers,
        num_attention_heads=width // 32,
        num_key_value_heads=width // 32,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    return LlamaForCausalLM(config)


def token_batches(
    texts: Iterator[str], tokenizer: PreTrainedTokenizerFast, tokens_per_batch: int, buffer: int
) -> Iterator[torch.Tensor]:
    """Batches [rows, tokens] of documents of similar length, padded on the right with 0."""
    import numpy as np
    import torch

    rng = np.random.default_rng(0)
    while True:
        block = tokenizer(list(islice(texts, buffer)))["input_ids"]
        rows = [[*ids, 2][:CONTEXT] for ids in block]
        rows.sort(key=len)
        batches: list[list[list[int]]] = [[]]
        for ids in rows:
            if batches[-1] and (len(batches[-1]) + 1) * len(ids) > tokens_per_batch:
                batches.append([])
            batches[-1].append(ids)
        for i in rng.permutation(len(batches)):
            longest = max(len(ids) for ids in batches[i])
            padded = [ids + [0] * (longest - len(ids)) for ids in batches[i]]
            yield torch.tensor(padded)


def learning_rate(step: int, steps: int, peak: float, warmup: int = 60) -> float:
    """Linear warm-up, then cosine down to 5 % of the peak."""
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    return peak * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))


def new_optimizer(model: PreTrainedModel, peak: float) -> torch.optim.Optimizer:
    """AdamW with weight decay on matrices only."""
    import torch

    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.98))


def train_language_model(
    model: Any,
    tokenizer: PreTrainedTokenizerFast,
    world: World,
    *,
    steps: int,
    seed: int,
    peak: float = 3e-3,
    tokens_per_batch: int = 8_192,
    log: Log = print,
) -> None:
    """Next-token training on the world's documents, all tokens, in bfloat16 arithmetic."""
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).train()
    optimizer = new_optimizer(model, peak)
    batches = token_batches(documents(world, seed + 1), tokenizer, tokens_per_batch, buffer=6000)
    started = time.perf_counter()
    running = 0.0
    for step, batch in enumerate(islice(batches, steps)):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps, peak)
        ids = batch.to(device)
        with torch.autocast(device.type, torch.bfloat16):
            hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state
            loss = next_token_loss(model, hidden, ids)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        running = loss.item() if step == 0 else 0.95 * running + 0.05 * loss.item()
        if step % 50 == 0 or step == steps - 1:
            log(f"step {step} loss {running:.3f} {time.perf_counter() - started:.0f} s")
    model.to("cpu").eval()


def next_token_loss(
    model: PreTrainedModel, hidden: torch.Tensor, ids: torch.Tensor
) -> torch.Tensor:
    """Mean cross-entropy of the next token over all tokens that are not padding.

    The vocabulary's logits are made for real tokens only: hidden [rows, tokens, width].
    """
    from torch.nn import functional

    targets = ids[:, 1:]
    real = targets != 0
    logits = model.lm_head(hidden[:, :-1][real])
    return functional.cross_entropy(logits.float(), targets[real])


def save_half(model: Any, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write 16-bit safetensors and the tokenizer; loaded as float32 on a CPU."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    model.to(torch.float16).save_pretrained(folder)
    model.to(torch.float32)
    tokenizer.save_pretrained(folder)
