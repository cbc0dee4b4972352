"""What the reference pipeline's invisible watermark makes of pictures: writes watermark.json.

    pip install --no-deps invisible-watermark==0.2.0 PyWavelets==1.9.0 opencv-python-headless==5.0.0.93
    python watermark.py
"""

import json
import os
from pathlib import Path

import cv2
import numpy as np
from imwatermark import WatermarkDecoder, WatermarkEncoder

HERE = Path(__file__).resolve().parent
ASSETS = os.environ.get("SDXL_ASSETS", HERE / "../../../shared/assets")
# diffusers.pipelines.stable_diffusion_xl.watermark
MESSAGE = 0b101100111110110010010000011110111011000110011110
BITS = [int(bit) for bit in bin(MESSAGE)[2:]]


def formula(width, height, numbers):
    """A picture of whole numbers, (height, width, 3)."""
    y, x, c = np.indices((height, width, 3))
    return numbers(x, y, c)


def waves(width, height, divisor=128):
    numbers = formula(width, height, lambda x, y, c: (x * (3 + c) + y * (5 - c) + x * y // (7 + c)) % 277 - 138)
    return numbers.astype(np.float32) / np.float32(divisor)


def shades(width, height):
    numbers = formula(width, height, lambda x, y, c: (x * (c + 1) + y * (3 - c)) % 1024 - 512)
    return numbers.astype(np.float32) / np.float32(512)


def flat(width, height):
    numbers = formula(width, height, lambda x, y, c: c * 60 - 50 + 0 * x)
    return numbers.astype(np.float32) / np.float32(128)


def photograph(name):
    pixels = cv2.imread(str(Path(ASSETS) / "photos" / name))[:, :, ::-1]
    # As the reference's image processor makes numbers of pixels.
    return np.float32(2) * (pixels.astype(np.float32) / np.float32(255)) - np.float32(1)


CASES = {
    "waves": waves(256, 256),
    "bright": waves(264, 256, divisor=96),
    "shades": shades(320, 264),
    "flat": flat(256, 256),
    "wide": waves(1024, 64),
    "tall": shades(256, 520),
    "astronaut.png": photograph("astronaut.png"),
    "coffee.png": photograph("coffee.png"),
    "chelsea.png": photograph("chelsea.png"),
}


def apply_watermark(image):
    """The lines of StableDiffusionXLWatermarker.apply_watermark, for one picture (height, width, 3) in [-1, 1]."""
    encoder = WatermarkEncoder()
    encoder.set_watermark("bits", BITS)
    image = 255 * (image / 2 + 0.5)
    image = encoder.encode(image[:, :, ::-1], "dwtDct")[:, :, ::-1]
    return np.clip(2 * (image / 255 - 0.5), -1.0, 1.0)


def pixels_of(image):
    """VaeImageProcessor.postprocess."""
    return (np.clip(image * 0.5 + 0.5, 0, 1) * 255).round().astype("uint8")


def fnv1a(pixels):
    value = 0xCBF29CE484222325
    for byte in pixels.tobytes():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def bits_read(pixels):
    """How many bits of the message the package's decoder reads; what it makes of bytes is not what it makes of floats."""
    found = WatermarkDecoder("bits", len(BITS)).decode(np.ascontiguousarray(pixels[:, :, ::-1]), "dwtDct")
    return sum(int(bit) == expected for bit, expected in zip(found, BITS))


def main():
    cases = {}
    for name, image in CASES.items():
        assert image.dtype == np.float32
        plain, marked = pixels_of(image), pixels_of(apply_watermark(image))
        cases[name] = {
            "width": image.shape[1],
            "height": image.shape[0],
            "plain": fnv1a(plain),
            "marked": fnv1a(marked),
            "changed": int((plain != marked).sum()),
            "bits": bits_read(marked.astype(np.float32)),
            "bits_of_bytes": bits_read(marked),
        }
    (HERE / "watermark.json").write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
