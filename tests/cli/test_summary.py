from __future__ import annotations

from dataclasses import replace

from napari_inr_denoise.cli.summary import plane_summary
from tests.batch.example_report import FILE, PLANE

AGREEING = replace(PLANE, steps=200, noise_level_step=190, stop_rules="agree")
EARLIER = replace(AGREEING, noise_level_step=35, stop_rules="published_earlier")
LATER = replace(AGREEING, noise_level_step=None, stop_rules="published_later")


def test_a_plane_says_where_the_published_stop_rule_would_have_gone_on() -> None:
    assert "published" not in plane_summary(replace(FILE, planes=(AGREEING,)))
    assert "published" not in plane_summary(replace(FILE, planes=(EARLIER,)))
    later = plane_summary(replace(FILE, planes=(LATER,)))
    assert "The published stop rule would have gone on" in later
