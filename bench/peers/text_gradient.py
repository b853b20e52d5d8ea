"""PyTorch's text tower, forward and backward by injected token embeddings only, as a training step needs it."""

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file
from serving import parse_arguments, serve
from text_towers import ChineseClipText, OpenClipText
from towers import add_tower_options, agreement, autocast, in_precision, load_tower
from transformers import AutoConfig, CLIPTextModelWithProjection, MetaClip2TextModelWithProjection, SiglipTextModel

# A class for each model_type, and the output that is the embedding.
CLASSES = {
    'chinese_clip': (ChineseClipText, 'pooler_output'),
    'metaclip_2': (MetaClip2TextModelWithProjection, 'text_embeds'),
    # The config.json beside OpenCLIP's own.
    'xlm-roberta': (OpenClipText, 'text_embeds'),
    'siglip_text_model': (SiglipTextModel, 'pooler_output'),
    'siglip': (SiglipTextModel, 'pooler_output'),
}
CLIP = (CLIPTextModelWithProjection, 'text_embeds')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_tower_options(parser)
    parser.add_argument(
        '--ids',
        type=Path,
        required=True,
        help='safetensors of ids [batch, positions], placeholder_positions [n, 2] of (row, position), '
        'injected [n, width] and cotangent [batch, projection]; reference.safetensors of a fixture is one',
    )
    parser.add_argument('--micro-batch', type=int, required=True)
    options = parse_arguments(parser)

    model_class, embedding = CLASSES.get(AutoConfig.from_pretrained(options.model).model_type, CLIP)
    model = load_tower(model_class, options)
    inputs = load_file(options.ids)
    starts = range(0, len(inputs['ids']), options.micro_batch)
    micro_batches = [cut(inputs, start, options.micro_batch) for start in starts]

    current = {}
    model.get_input_embeddings().register_forward_hook(
        lambda _, __, embeddings: embeddings.index_put(
            current['places'], current['injected'].to(embeddings.dtype)
        )
    )

    def gradient(forward):
        parts = []
        for ids, places, injected, cotangent in micro_batches:
            injected = injected.requires_grad_()
            current.update(places=places, injected=injected)
            loss = (getattr(forward(ids), embedding) * cotangent).sum()
            parts += torch.autograd.grad(loss, injected)
        return torch.cat(parts)

    expected = gradient(model)
    forward = in_precision(model, options)

    @autocast(options)
    def lowered():
        return gradient(forward)

    exactness = agreement(lowered(), expected)

    def work():
        lowered()
        return exactness

    serve(work, len(inputs['ids']), options)


def cut(inputs, start, size):
    """Rows start to start + size: their ids, their placeholders' (rows, positions), vectors, and cotangent."""
    rows, positions = inputs['placeholder_positions'].T
    chosen = (rows >= start) & (rows < start + size)
    return (
        inputs['ids'][start : start + size],
        (rows[chosen] - start, positions[chosen]),
        inputs['injected'][chosen],
        inputs['cotangent'][start : start + size],
    )


if __name__ == '__main__':
    main()
