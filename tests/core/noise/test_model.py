from __future__ import annotations

from dataclasses import replace

import pytest

from napari_inr_denoise.core.noise.model import NoiseModel, combine_noise


def test_a_stack_has_the_middle_of_its_planes_cameras() -> None:
    planes = [
        NoiseModel(3.0, False, 3.0, gain=gain, offset=7.0, read_noise=1.0)
        for gain in (1.0, 2.0, 9.0)
    ]
    unknown = NoiseModel(float("nan"), False, float("nan"))
    model = combine_noise([*planes, unknown])
    assert (model.sigma, model.gain, model.offset) == (pytest.approx(3), 2.0, 7.0)


def test_what_is_not_known_is_none_in_a_report() -> None:
    values = NoiseModel(3.0, False, 3.0).to_dict()
    assert values["gain"] is None
    assert values["read_noise"] is None
    assert values["sigma_chen"] == 3.0


def test_words_tell_of_photons_only_where_they_were_seen() -> None:
    model = NoiseModel(2.0, False, 2.0, gain=0.0, read_noise=2.0)
    assert "photon" not in model.words()
    assert "photon" in replace(model, gain=0.5).words()


def test_a_stack_is_correlated_if_more_than_half_of_its_planes_are() -> None:
    white = NoiseModel(2.0, False, 2.0)
    correlated = replace(white, correlated=True)
    assert not combine_noise([white, correlated]).correlated
    assert combine_noise([white, correlated, correlated]).correlated


def test_words_tell_of_cut_off_pixels_only_where_there_are_some() -> None:
    model = NoiseModel(2.0, False, 2.0)
    assert model.words() == "sigma 2"
    low = replace(model, clipped_low=0.02)
    assert low.words() == "sigma 2, 2 % clipped at minimum"
    for share, told in ((0.984, "98"), (0.998, "99")):
        words = replace(model, clipped_high=share).words()
        assert words == f"sigma 2, {told} % saturated"
