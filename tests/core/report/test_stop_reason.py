from __future__ import annotations

from napari_inr_denoise.core.report.stop_reason import StopReason


def test_every_reason_has_its_own_sentence() -> None:
    sentences = {reason.sentence for reason in StopReason}
    assert len(sentences) == len(StopReason)
    assert all(sentence.endswith(".") for sentence in sentences)
