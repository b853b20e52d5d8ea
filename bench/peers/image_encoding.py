"""PyTorch's vision tower, forward only, on one batch of pixels."""

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file
from serving import parse_arguments, serve
from towers import add_tower_options, agreement, autocast, in_precision, load_tower
from transformers import CLIPVisionModelWithProjection


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_tower_options(parser)
    parser.add_argument('--batch', type=int, required=True)
    parser.add_argument(
        '--pixels', type=Path, help='safetensors of pixel_values [images, 3, size, size], repeated to fill the batch'
    )
    parser.add_argument('--channels-last', action='store_true')
    options = parse_arguments(parser)

    model = load_tower(CLIPVisionModelWithProjection, options)
    pixels = make_batch(options, model.config.image_size).to(options.device)
    with torch.inference_mode():
        expected = model(pixels).image_embeds

    if options.channels_last:
        model = model.to(memory_format=torch.channels_last)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
    if options.precision == 'bfloat16':
        pixels = pixels.to(torch.bfloat16)
    forward = in_precision(model, options)

    @torch.inference_mode()
    @autocast(options)
    def encode():
        return forward(pixels).image_embeds

    exactness = agreement(encode(), expected)

    def work():
        embeddings = encode()
        embeddings[-1, -1].item()  # waits for a GPU
        return exactness

    serve(work, options.batch, options)


def make_batch(options, size):
    """The file's images over and over, or noise: [batch, 3, size, size]."""
    if options.pixels is None:
        return torch.randn(options.batch, 3, size, size, generator=torch.Generator().manual_seed(0))
    images = load_file(options.pixels)['pixel_values']
    return images.repeat(-(-options.batch // len(images)), 1, 1, 1)[: options.batch]


if __name__ == '__main__':
    main()
