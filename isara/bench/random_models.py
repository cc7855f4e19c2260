"""Small random models of every architecture that the engine is held against `generate` on."""

from __future__ import annotations

from typing import Any

VOCABULARY = 96
END = 2
WINDOW = 16  # prompts are longer than that
COMMON: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 512,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": END,
}
# Weights of 0.4 and 0.2: large enough that choices are no near-ties, so small that texts vary.
GATED: dict[str, Any] = {"intermediate_size": 48, "num_key_value_heads": 2}
GEMMA: dict[str, Any] = {
    **GATED,
    "head_dim": 8,
    "query_pre_attn_scalar": 8,
    "sliding_window": WINDOW,
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
    "final_logit_softcapping": 20.0,
}
ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "opt": ("OPTConfig", {"ffn_dim": 48, "word_embed_proj_dim": 32, "dropout": 0.0}),
    "llama": ("LlamaConfig", GATED),
    "mistral": ("MistralConfig", {**GATED, "sliding_window": WINDOW}),
    "qwen2": ("Qwen2Config", GATED),
    "qwen3": ("Qwen3Config", {**GATED, "head_dim": 8}),
    "gpt_neox": ("GPTNeoXConfig", {"intermediate_size": 48}),
    "gemma2": ("Gemma2Config", {**GEMMA, "attn_logit_softcapping": 10.0}),
    "gemma3": ("Gemma3TextConfig", GEMMA),
}


def random_model(name: str, seed: int = 0) -> Any:
    """A model of the architecture with random weights, in float32 on the CPU."""
    import torch
    import transformers

    kind, more = ARCHITECTURES[name]
    spread = {"init_std": 0.4} if name == "opt" else {"initializer_range": 0.4}
    if name.startswith("gemma"):
        spread["initializer_range"] = 0.2
    torch.manual_seed(seed)
    config = getattr(transformers, kind)(**COMMON, **more, **spread)
    return transformers.AutoModelForCausalLM.from_config(config).eval()
