"""Linear layers in float32 on a CPU through oneDNN instead of the default BLAS.

PyTorch sends float32 matrix products to MKL, which on processors of other makers than its own runs
at half the rate of oneDNN (AMD EPYC, 2 cores: 190 against 390 GFLOP/s). Weights stay where they
are; training has both of its products here too. Results differ from the default's in the last
bits. Which library is used does not depend on a measurement, so that a run is the same twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

FEW_VALUES = 100_000  # below so many weights and rows the call itself costs more than it saves


def product(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """rows [..., inputs] times weight [outputs, inputs], transposed."""
    result: torch.Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return result


class LinearFunction(torch.autograd.Function):
    """The product with its gradients."""

    @staticmethod
    def forward(
        ctx: Any, rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        """See `product`."""
        ctx.save_for_backward(rows, weight)
        return product(rows, weight, bias)

    @staticmethod
    def backward(ctx: Any, *given: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Gradients of rows, weight and bias, those that are asked for."""
        rows, weight = ctx.saved_tensors
        (grad,) = given
        flat = grad.reshape(-1, grad.shape[-1])
        for_rows, for_weight, for_bias = ctx.needs_input_grad
        return (
            product(grad, weight.t(), None) if for_rows else None,
            product(flat.t(), rows.reshape(-1, rows.shape[-1]).t(), None) if for_weight else None,
            flat.sum(0) if for_bias else None,
        )


def onednn_linear(module: Any, rows: torch.Tensor) -> torch.Tensor:
    """What the linear layer `module` makes of rows [..., inputs]."""
    if rows.numel() * module.out_features < FEW_VALUES or rows.dtype != torch.float32:
        return torch.nn.functional.linear(rows, module.weight, module.bias)
    if torch.is_grad_enabled():
        result: torch.Tensor = LinearFunction.apply(  # type: ignore[no-untyped-call]
            rows, module.weight, module.bias
        )
        return result
    return product(rows, module.weight, module.bias)


@contextmanager
def fast_linear(model: torch.nn.Module) -> Iterator[None]:
    """The model's float32 linear layers on the CPU run through oneDNN until the block ends."""
    layers = [
        module
        for module in model.modules()
        if type(module) is torch.nn.Linear
        and module.weight.device.type == "cpu"
        and module.weight.dtype == torch.float32
        and "forward" not in vars(module)
    ]
    if not torch.backends.mkldnn.is_available():
        layers = []
    for layer in layers:
        vars(layer)["forward"] = partial(onednn_linear, layer)
    try:
        yield
    finally:
        for layer in layers:
            del vars(layer)["forward"]
