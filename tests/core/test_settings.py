from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_inr_denoise import DenoiseSettings
from napari_inr_denoise.core.settings import PRESETS, preset_settings


@given(
    seed=st.integers(0, 2**63 - 1),
    omega=st.floats(0.1, 1000),
    weight_decay=st.floats(0, 1e4),
    patch_size=st.integers(1, 32),
)
def test_settings_survive_a_round_trip(**values: float) -> None:
    made = DenoiseSettings(**values)
    assert DenoiseSettings.from_dict(made.to_dict()) == made


def test_every_setting_has_help_and_numbers_have_bounds() -> None:
    for item in fields(DenoiseSettings):
        assert item.metadata["help"].endswith(".")
        assert item.type == "str" or item.metadata["minimum"] is not None


@pytest.mark.parametrize(
    ("name", "value"), [("omega", -1), ("max_steps", 0), ("average_decay", 1.0)]
)
def test_out_of_bounds_says_what_was_got_and_wanted(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name}: got {value}, wanted a value from"):
        DenoiseSettings(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"), [("seed", 1.5), ("seed", True), ("omega", "30"), ("device", 0)]
)
def test_a_wrong_type_says_what_was_got_and_wanted(name: str, value: object) -> None:
    with pytest.raises(TypeError, match=f"{name}: got"):
        DenoiseSettings(**{name: value})


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown setting omgea"):
        DenoiseSettings.from_dict({"omgea": 30.0})


def test_presets_carry_their_names_and_can_be_changed() -> None:
    assert list(PRESETS) == ["auto", "fast", "paper"]
    assert all(made.preset == name for name, made in PRESETS.items())
    assert preset_settings("fast", seed=7).seed == 7
    with pytest.raises(ValueError, match="preset: got 'best', wanted one of"):
        preset_settings("best")


def test_the_published_method_decays_two_layers() -> None:
    assert PRESETS["paper"].decay_layers == 2
    assert PRESETS["paper"].weight_decay > 0
    assert PRESETS["paper"].average_decay > 0
