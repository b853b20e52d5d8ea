"""PyTorch's text tower, forward only."""

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file
from serving import parse_arguments, serve
from towers import add_tower_options, autocast, in_precision, load_tower
from transformers import CLIPTextModelWithProjection


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_tower_options(parser)
    parser.add_argument('--ids', type=Path, required=True, help='safetensors of ids [batch, positions]')
    parser.add_argument('--micro-batch', type=int, required=True)
    options = parse_arguments(parser)

    forward = in_precision(load_tower(CLIPTextModelWithProjection, options), options)
    ids = load_file(options.ids)['ids']

    @torch.inference_mode()
    @autocast(options)
    def work():
        embeds = torch.cat([forward(micro_batch).text_embeds for micro_batch in ids.split(options.micro_batch)])
        return {'mean_norm': embeds.norm(dim=-1).mean().item()}

    serve(work, len(ids), options)


if __name__ == '__main__':
    main()
