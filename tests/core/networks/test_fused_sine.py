"""The sine of sums: the same by kernels and step by step, and by steps without them."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from napari_inr_denoise.core.networks import fused_sine
from napari_inr_denoise.core.networks.fused_sine import Sine, sine_of_sums

KERNELS = "napari_inr_denoise.core.networks.sine_kernels"
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    fused_sine._best.cache_clear()
    yield
    fused_sine._best.cache_clear()


@pytest.fixture
def _interpreted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Triton's own interpreter runs the kernels on the CPU.

    Triton reads the variable when it is imported, which other tests may have done.
    """
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    for name in list(sys.modules):
        if name.split(".")[0] == "triton" and "_C" not in name:
            monkeypatch.delitem(sys.modules, name)
    pytest.importorskip("triton", reason="Triton is not installed")
    yield
    sys.modules.pop(KERNELS, None)


def _example(rows: int, width: int) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(0)
    products = torch.randn((rows, width), generator=draw).to(torch.bfloat16)
    return products, torch.randn(width, generator=draw)


def _stand_in(monkeypatch: pytest.MonkeyPatch, sine: Sine) -> None:
    module = types.ModuleType(KERNELS)
    module.FusedSine = types.SimpleNamespace(apply=sine)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, KERNELS, module)


def test_phases_keep_their_fractions() -> None:
    products, bias = _example(7, 5)
    sines = sine_of_sums(products, bias, 300.0, torch.float32)
    exact = torch.sin(300 * (products.double() + bias.double()))
    assert (sines - exact).abs().max() < 1e-3


def test_without_kernels_it_goes_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, KERNELS, None)
    assert fused_sine._best(CPU) is fused_sine._step_by_step


def test_kernels_that_are_right_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def right(
        products: Tensor, bias: Tensor, omega: float, dtype: torch.dtype
    ) -> Tensor:
        return fused_sine._step_by_step(products, bias, omega, dtype)

    _stand_in(monkeypatch, right)
    assert fused_sine._best(CPU) is right


@pytest.mark.parametrize("fault", ["sines", "gradient", "error"])
def test_kernels_that_are_wrong_are_not(
    monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    def wrong(
        products: Tensor, bias: Tensor, omega: float, dtype: torch.dtype
    ) -> Tensor:
        if fault == "error":
            raise RuntimeError("no compiler")
        if fault == "gradient":
            bias = bias.detach() + 0 * bias
        off = 1.1 if fault == "sines" else 1.0
        return fused_sine._step_by_step(products, bias, off * omega, dtype)

    _stand_in(monkeypatch, wrong)
    assert fused_sine._best(CPU) is fused_sine._step_by_step


@pytest.mark.usefixtures("_interpreted")
@pytest.mark.parametrize(("rows", "width"), [(1, 1), (33, 65), (100, 64), (64, 256)])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_the_kernels_compute_what_the_steps_do(
    rows: int, width: int, dtype: torch.dtype
) -> None:
    from napari_inr_denoise.core.networks.sine_kernels import FusedSine

    products, bias = _example(rows, width)
    upstream = torch.randn((rows, width), generator=torch.Generator().manual_seed(1))
    sines, gradients = [], []
    for sine in (FusedSine.apply, fused_sine._step_by_step):
        leaves = [products.clone().requires_grad_(), bias.clone().requires_grad_()]
        sines.append(sine(*leaves, 30.0, dtype))
        weighted = (sines[-1].float() * upstream).sum()
        gradients.append(torch.autograd.grad(weighted, leaves))
    rounding = 2**-8 if dtype is torch.bfloat16 else 1e-5
    torch.testing.assert_close(sines[0], sines[1], rtol=rounding, atol=rounding)
    (of_products, of_bias), (products_wanted, bias_wanted) = gradients
    assert of_products.dtype == torch.bfloat16
    torch.testing.assert_close(of_products, products_wanted, rtol=0.02, atol=0.02)
    torch.testing.assert_close(of_bias, bias_wanted, rtol=0.02, atol=0.02 * rows)


@pytest.mark.usefixtures("_interpreted")
def test_the_kernels_pass_their_own_check() -> None:
    taken = fused_sine._best(CPU)
    assert taken is not fused_sine._step_by_step
