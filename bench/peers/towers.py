"""Loads a CLIP tower of transformers as the peers measure it: float32, frozen, evaluation mode."""

from pathlib import Path

import torch
from transformers.utils import logging


def add_tower_options(parser):
    parser.add_argument('--model', type=Path, required=True, help='folder in Hugging Face layout')
    parser.add_argument('--attention', choices=['sdpa', 'eager'], default='sdpa')
    parser.add_argument('--compile', action='store_true', help='torch.compile')


def load_tower(model_class, options):
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model = model_class.from_pretrained(
        options.model, dtype=torch.float32, attn_implementation=options.attention
    )
    return model.eval().requires_grad_(False)


def compiled(model, options):
    return torch.compile(model) if options.compile else model
