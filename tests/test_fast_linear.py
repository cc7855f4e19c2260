"""Linear layers through oneDNN: the same values and gradients as PyTorch's."""

from __future__ import annotations

import pytest
import torch

from isara import fast_linear as module
from isara.fast_linear import fast_linear


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("frozen", [True, False])
def test_values_and_gradients_are_pytorchs(
    bias: bool, frozen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEW_VALUES", 0)
    torch.manual_seed(0)
    layer = torch.nn.Linear(7, 5, bias=bias)
    layer.weight.requires_grad_(not frozen)
    rows = torch.randn(2, 3, 7, requires_grad=True)
    weights = torch.randn(2, 3, 5)
    wanted = [p for p in (rows, *layer.parameters()) if p.requires_grad]

    def run() -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        result = layer(rows)
        return result.detach(), torch.autograd.grad((result * weights).sum(), wanted)

    expected, gradients = run()
    with fast_linear(torch.nn.Sequential(layer)):
        assert "forward" in vars(layer)
        found, ours = run()
    assert "forward" not in vars(layer)
    torch.testing.assert_close(found, expected)
    for own, theirs in zip(ours, gradients, strict=True):
        torch.testing.assert_close(own, theirs)


def test_other_types_of_numbers_stay_with_pytorch() -> None:
    layer = torch.nn.Linear(4, 4, dtype=torch.float64)
    with fast_linear(torch.nn.Sequential(layer)):
        assert "forward" not in vars(layer)
