from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_inr_denoise import DenoiseSettings
from napari_inr_denoise.core.settings import (
    PRESETS,
    AttentionSettings,
    NeighbourhoodSettings,
    SirenSettings,
    preset_settings,
)


@given(
    seed=st.integers(0, 2**63 - 1),
    omega=st.floats(0.1, 1000),
    weight_decay=st.floats(0, 1e4),
    patch_size=st.integers(1, 32),
)
def test_settings_survive_a_round_trip(**values: float) -> None:
    made = DenoiseSettings(**values)
    assert DenoiseSettings.from_dict(made.to_dict()) == made


PARTS = (SirenSettings, NeighbourhoodSettings, AttentionSettings)


@pytest.mark.parametrize("kind", [DenoiseSettings, *PARTS])
def test_every_setting_has_help_and_numbers_have_bounds(kind: type) -> None:
    for item in fields(kind):
        if item.type in [part.__name__ for part in PARTS]:
            continue
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
    assert list(PRESETS) == ["auto", "fast", "best", "paper"]
    assert all(made.preset == name for name, made in PRESETS.items())
    assert preset_settings("fast", seed=7).seed == 7
    with pytest.raises(ValueError, match="preset: got 'finest', wanted one of"):
        preset_settings("finest")


def test_the_published_method_decays_two_layers() -> None:
    assert PRESETS["paper"].siren.decay_layers == 2
    assert PRESETS["paper"].siren.weight_decay > 0
    assert PRESETS["paper"].siren.average_decay > 0


FLAT = {
    "preset": "fast",
    "omega": 25.0,
    "judge_every": 50,
    "candidates": "neighbourhood",
    "window_radius": 5,
    "window_batch": 100,
    "context_radius": 3,
    "attention_rate": 1e-3,
    "turns": 2,
}


def test_the_flat_form_of_older_files_is_read() -> None:
    made = DenoiseSettings.from_dict(FLAT)
    assert made.siren == SirenSettings(omega=25.0, eval_every=50)
    assert made.neighbourhood == NeighbourhoodSettings(
        radius=5, batch_size=100, context_radius=3
    )
    assert made.attention == AttentionSettings(learning_rate=1e-3)
    assert made.n_augmentations == 2
    assert DenoiseSettings.from_dict(made.to_dict()) == made


def test_a_part_may_be_an_object_a_mapping_or_short_names() -> None:
    parts = [{"siren": SirenSettings(omega=3.0)}, {"siren": {"omega": 3.0}}]
    made = [DenoiseSettings(**part) for part in [*parts, {"omega": 3.0}]]
    assert made[0] == made[1] == made[2]
    changed = replace(made[0], max_steps=7)
    assert changed.siren == SirenSettings(omega=3.0, max_steps=7)


def test_a_wrong_part_says_what_is_wrong() -> None:
    with pytest.raises(TypeError, match="siren: got 3, wanted SirenSettings"):
        DenoiseSettings(siren=3)
    with pytest.raises(ValueError, match="siren: unknown setting omgea; known are"):
        DenoiseSettings(siren={"omgea": 3})
    with pytest.raises(TypeError, match="unknown setting omgea; known are"):
        DenoiseSettings(omgea=3)
