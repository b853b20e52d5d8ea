"""A CLIP tower of transformers as the peers measure it: frozen, in evaluation mode, in float32 or bfloat16."""

from pathlib import Path

import torch
from transformers.utils import logging


def add_tower_options(parser):
    parser.add_argument('--model', type=Path, required=True, help='folder in Hugging Face layout')
    parser.add_argument('--attention', choices=['sdpa', 'eager'], default='sdpa')
    parser.add_argument(
        '--precision',
        choices=['float32', 'autocast', 'bfloat16'],
        default='float32',
        help='autocast casts to bfloat16 at every operation; bfloat16 casts the weights once',
    )
    parser.add_argument('--device', default='cpu', help='such as cuda')
    parser.add_argument('--compile', action='store_true', help='torch.compile')


def load_tower(model_class, options):
    """The tower in float32, so that `in_precision` can be compared with it."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model = model_class.from_pretrained(
        options.model, dtype=torch.float32, attn_implementation=options.attention
    )
    return model.eval().requires_grad_(False).to(options.device)


def in_precision(model, options):
    """The tower as it is measured. Run it within `autocast(options)`."""
    if options.precision == 'bfloat16':
        model = model.to(torch.bfloat16)
    return torch.compile(model) if options.compile else model


def autocast(options):
    return torch.autocast(options.device, torch.bfloat16, enabled=options.precision == 'autocast')


def agreement(found, expected):
    """How near the rows of one precision are to float32's: the least cosine, and the largest difference by the largest entry."""
    found, expected = found.float(), expected.float()
    return {
        'cosine': torch.cosine_similarity(found, expected, dim=-1).min().item(),
        'largest_error': ((found - expected).abs().max() / expected.abs().max()).item(),
    }
