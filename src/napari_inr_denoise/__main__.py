"""``python -m napari_inr_denoise`` is the command ``inr-denoise``."""

from napari_inr_denoise.cli.main import main

if __name__ == "__main__":
    main(prog_name="inr-denoise")
