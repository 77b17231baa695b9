"""Building blocks of the panels, which know nothing of images or runs.

`Form` holds rows, `Segments` buttons of which one is chosen, `Chips` short facts,
`Foldable` a section that can be folded, `Plot` a curve, `StrengthSlider` a slider with
words at its ends. `style` has the colours. Buttons have no mnemonics: those of napari's
menus come first.
"""
