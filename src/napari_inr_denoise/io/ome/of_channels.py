"""OME metadata of some of the channels of an image."""

from __future__ import annotations

from collections.abc import Sequence


def xml_of_channels(xml: str, numbers: Sequence[int]) -> str:
    """Return OME-XML of an image with only some of its channels.

    Parameters
    ----------
    xml : str
        OME-XML of the image, as `ImageRecord` has it.
    numbers : sequence of int
        Numbers of the channels, in their new order.
    """
    from ome_types import from_xml, to_xml

    ome = from_xml(xml)
    pixels = ome.images[0].pixels
    samples = (pixels.channels[0].samples_per_pixel or 1) if pixels.channels else 1
    if max(numbers) < len(pixels.channels):
        pixels.channels = [pixels.channels[number] for number in numbers]
    places = {number: place for place, number in enumerate(numbers)}
    pixels.planes = [plane for plane in pixels.planes if plane.the_c in places]
    for plane in pixels.planes:
        plane.the_c = places[plane.the_c]
    pixels.size_c = samples * len(numbers)
    return to_xml(ome)
