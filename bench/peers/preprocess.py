"""CLIP's image preprocessing with Pillow and NumPy: decode, shortest side by bicubic, centre crop, normalise."""

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
import PIL
from PIL import Image
from serving import parse_arguments, serve

MEAN = numpy.array([0.48145466, 0.4578275, 0.40821073], numpy.float32)
STD = numpy.array([0.26862954, 0.26130258, 0.27577711], numpy.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--files', type=Path, required=True, help='text file with the path of one image a line')
    parser.add_argument('--size', type=int, default=224)
    options = parse_arguments(parser)
    paths = options.files.read_text(encoding='utf-8').split('\n')
    paths = [path for path in paths if path]
    with ThreadPoolExecutor(options.threads) as threads:

        def work():
            pixels = list(threads.map(lambda path: preprocess(path, options.size), paths))
            mean = float(numpy.mean([image.mean(dtype=numpy.float64) for image in pixels]))
            return {'mean_pixel': mean, 'pillow': PIL.__version__}

        serve(work, len(paths), options)


def preprocess(path, size):
    """The image's normalised pixels: float32 [3, size, size]."""
    with Image.open(path) as opened:
        image = opened.convert('RGB')
    width, height = image.size
    shortest = min(width, height)
    resized = image.resize((size * width // shortest, size * height // shortest), Image.Resampling.BICUBIC)
    left, top = (resized.width - size) // 2, (resized.height - size) // 2
    cropped = resized.crop((left, top, left + size, top + size))
    pixels = (numpy.asarray(cropped, numpy.float32) / 255 - MEAN) / STD  # [size, size, 3]
    return numpy.ascontiguousarray(pixels.transpose(2, 0, 1))


if __name__ == '__main__':
    main()
