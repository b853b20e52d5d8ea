"""OpenCLIP's vision tower in PyTorch, forward only, on one batch of noise: a folder in OpenCLIP's layout."""

import argparse

import open_clip
import torch
from serving import parse_arguments, serve
from towers import agreement, autocast, in_precision


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', required=True, help="folder in OpenCLIP's layout")
    parser.add_argument('--batch', type=int, required=True)
    parser.add_argument('--precision', choices=['float32', 'autocast', 'bfloat16'], default='float32')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--compile', action='store_true', help='torch.compile')
    options = parse_arguments(parser)

    visual = open_clip.create_model(f'local-dir:{options.model}').visual.eval().requires_grad_(False)
    size = visual.image_size[0]
    pixels = torch.randn(options.batch, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = visual(pixels)
    if options.precision == 'bfloat16':
        pixels = pixels.to(torch.bfloat16)
    forward = in_precision(visual, options)

    @torch.inference_mode()
    @autocast(options)
    def encode():
        return forward(pixels)

    exactness = agreement(encode(), expected)

    def work():
        encode()
        return exactness

    serve(work, options.batch, options)


if __name__ == '__main__':
    main()
