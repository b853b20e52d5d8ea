"""A straightforward PyTorch version of LinCIR's training loop: every caption padded to CLIP's 77 positions."""

import argparse
import json
from itertools import count
from pathlib import Path

import torch
from safetensors.torch import load_file
from serving import parse_arguments, serve
from torch import nn
from towers import add_tower_options, agreement, autocast, in_precision, load_tower
from transformers import CLIPTextModelWithProjection


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_tower_options(parser)
    parser.add_argument(
        '--captions',
        type=Path,
        required=True,
        help='safetensors of ids [n, 77] and masked [n, 77], which has placeholders in it; padded with end of text',
    )
    parser.add_argument('--batch', type=int, default=512, help='captions of a step')
    parser.add_argument('--micro-batch', type=int, default=32, help='captions forward and backward at once')
    parser.add_argument('--learning-rate', type=float, default=1e-4)
    options = parse_arguments(parser)

    torch.manual_seed(0)
    model = load_tower(CLIPTextModelWithProjection, options)
    phi = make_phi(model.config.projection_dim, model.config.hidden_size)
    optimizer = torch.optim.AdamW(phi.parameters(), lr=options.learning_rate, weight_decay=0.01)
    captions = load_file(options.captions)

    placeholder = placeholder_id(options.model)
    current = {}
    model.text_model.embeddings.token_embedding.register_forward_hook(
        lambda _, inputs, embeddings: with_pseudo_tokens(inputs[0] == placeholder, embeddings, **current)
    )
    few = captions['ids'][: options.micro_batch]
    with torch.no_grad():
        expected = model(few).text_embeds
    forward = in_precision(model, options)
    with torch.no_grad(), autocast(options):
        exactness = agreement(forward(few).text_embeds, expected)

    def step(ids, masked):
        optimizer.zero_grad()
        loss = 0.0
        for texts, masked_texts in zip(ids.split(options.micro_batch), masked.split(options.micro_batch)):
            current.clear()
            with autocast(options):
                with torch.no_grad():
                    targets = forward(texts).text_embeds.float()
                noise = torch.rand(len(texts), 1) * torch.randn_like(targets)
                current['pseudo_tokens'] = phi(targets + noise)
                found = forward(masked_texts).text_embeds.float()
                share = nn.functional.mse_loss(found, targets) * len(texts) / len(ids)
            share.backward()
            loss += share.item()
        optimizer.step()
        return {'loss': loss, **exactness}

    batches = endless_batches(captions['ids'], captions['masked'], options.batch)
    step(captions['ids'][: options.micro_batch], captions['masked'][: options.micro_batch])
    # A step takes minutes with a large tower: one micro-batch has warmed everything up.
    serve(lambda: step(*next(batches)), options.batch, options, warm_up=0)


def endless_batches(ids, masked, size):
    """Whole batches of both, over and over through the captions."""
    for begin in count(step=size):
        rows = torch.arange(begin, begin + size) % len(ids)
        yield ids[rows], masked[rows]


def make_phi(projection, width):
    hidden = 4 * projection
    return nn.Sequential(
        nn.Linear(projection, hidden),
        nn.GELU(),
        nn.Dropout(0.5),
        nn.Linear(hidden, hidden),
        nn.GELU(),
        nn.Dropout(0.5),
        nn.Linear(hidden, width),
    )


def placeholder_id(folder):
    return json.loads((folder / 'tokenizer.json').read_text(encoding='utf-8'))['model']['vocab']['$</w>']


def with_pseudo_tokens(is_placeholder, embeddings, pseudo_tokens=None):
    """Puts each row's pseudo token [rows, width] wherever the row has a placeholder."""
    if pseudo_tokens is None:
        return embeddings
    return torch.where(is_placeholder[..., None], pseudo_tokens[:, None].to(embeddings.dtype), embeddings)


if __name__ == '__main__':
    main()
