"""The 8-bit pictures and masks that image-to-image and inpainting begin with."""

import numpy
import torch
from PIL import Image

from random_weights import uniform

# From the outside of a mask to its inside; the two in the middle lie on either side of the threshold 0.5.
EDGE = [0, 40, 90, 127, 128, 170, 215, 255]


def pixels(name, height, width):
    """Random 8-bit RGB, H x W x 3: the highest byte of each number of the stream `input/<name>`."""
    values = uniform(f"input/{name}", 0, height * width * 3)
    return (values * 128 + 128).astype(numpy.uint8).reshape(height, width, 3)


def mask_pixels(height, width, top, bottom, left, right):
    """An 8-bit mask, H x W: a rectangle with grey edges inside."""
    rows, columns = edge_profile(height, top, bottom), edge_profile(width, left, right)
    return numpy.minimum(rows[:, None], columns[None, :])


def edge_profile(length, first, end):
    """Rising from 0 before `first`, falling to 0 at `end`."""
    positions = numpy.arange(length)
    depth = numpy.minimum(positions - first, end - 1 - positions) + 1
    return numpy.array(EDGE, dtype=numpy.uint8)[depth.clip(0, len(EDGE) - 1)]


def from_pixels(array):
    return Image.fromarray(array)


def to_tensor(image):
    """The 8-bit values of an array or a picture of PIL."""
    return torch.from_numpy(numpy.array(image))
