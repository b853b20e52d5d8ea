"""Ranks a gallery for queries with PyTorch: similarities, and the 50 best but for the reference, by topk or by sorting
everything. It also ranks each query's candidates, if it has any.
"""

import argparse

import torch

from serving import parse_arguments, serve

parser = argparse.ArgumentParser()
parser.add_argument('--pictures', type=int, required=True)
parser.add_argument('--queries', type=int, required=True)
parser.add_argument('--dimensions', type=int, default=768)
parser.add_argument('--candidates', type=int, default=0)
parser.add_argument('--sort', action='store_true', help='sort all pictures, as published evaluators do')
options = parse_arguments(parser)

generator = torch.Generator().manual_seed(0)
gallery = torch.nn.functional.normalize(torch.randn(options.pictures, options.dimensions, generator=generator))
queries = torch.nn.functional.normalize(torch.randn(options.queries, options.dimensions, generator=generator))
references = torch.arange(options.queries)[:, None] * 37 % options.pictures
candidates = (references + torch.arange(options.candidates) + 1) % options.pictures
ROWS = 256


def work():
    with torch.inference_mode():
        for begin in range(0, options.queries, ROWS):
            similarities = queries[begin : begin + ROWS] @ gallery.T
            if options.candidates > 0:
                own = candidates[begin : begin + ROWS]
                order = similarities.gather(1, own).argsort(dim=-1, descending=True)
                own.gather(1, order).tolist()
            similarities.scatter_(1, references[begin : begin + ROWS], -torch.inf)
            if options.sort:
                torch.argsort(similarities, dim=-1, descending=True)[:, :50].tolist()
            else:
                similarities.topk(50, dim=-1).indices.tolist()
    return {}


serve(work, options.queries, options)
