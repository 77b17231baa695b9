from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from napari_inr_denoise.core.compute.precision import product_dtype, sine_product_dtype
from napari_inr_denoise.core.networks import siren

CPU = torch.device("cpu")
CUDA = torch.device("cuda", 0)


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    product_dtype.cache_clear()
    yield
    product_dtype.cache_clear()


@pytest.mark.parametrize(
    ("told", "kind"), [(True, torch.bfloat16), (False, torch.float32)]
)
def test_the_cpu_takes_bfloat16_where_it_has_the_instructions(
    monkeypatch: pytest.MonkeyPatch, told: bool, kind: torch.dtype
) -> None:
    monkeypatch.setattr(
        torch.cpu, "_is_avx512_bf16_supported", lambda: told, raising=False
    )
    assert product_dtype(CPU) is kind


def test_a_torch_that_does_not_tell_takes_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported", raising=False)
    assert product_dtype(CPU) is torch.float32


@pytest.mark.parametrize(
    ("capability", "kind"), [((7, 5), torch.float32), ((8, 0), torch.bfloat16)]
)
def test_cuda_takes_bfloat16_from_ampere_on(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], kind: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert product_dtype(CUDA) is kind


def test_others_take_float32() -> None:
    assert product_dtype(torch.device("mps")) is torch.float32


def test_a_sine_is_trained_through_bfloat16_and_rendered_through_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 0))
    assert sine_product_dtype(CUDA) is torch.bfloat16
    with torch.no_grad():
        assert sine_product_dtype(CUDA) is torch.float32


def test_a_siren_with_rounded_products_keeps_its_phase(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = torch.Generator().manual_seed(0)
    sines = siren.SineLayers(width=64, depth=3, omega=20.0, first_omega=300.0)
    network = siren.Siren(2, 1, sines, start)
    places = 2 * torch.rand(512, 2, generator=start) - 1
    monkeypatch.setattr(siren, "sine_product_dtype", lambda _: torch.float32)
    exact = network(places)
    monkeypatch.setattr(siren, "sine_product_dtype", lambda _: torch.bfloat16)
    rounded = network(places)
    rounded.square().sum().backward()
    assert all(one.grad.dtype == torch.float32 for one in network.parameters())
    assert not torch.equal(rounded, exact)
    # Rounded in bfloat16 itself the phase, up to 300, would be off by a radian.
    assert (rounded - exact).norm() < 0.2 * exact.norm()
