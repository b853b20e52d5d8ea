"""Composed queries in PyTorch: from a picture's file over both towers and phi to the nearest vectors, all compared."""

import argparse
import time
from pathlib import Path

import torch
import transformers
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from serving import parse_arguments, serve
from torch import nn
from towers import add_tower_options, autocast, in_precision, load_tower
from training import make_phi, placeholder_id, with_pseudo_tokens
from transformers import AutoTokenizer, CLIPTextModelWithProjection, CLIPVisionModelWithProjection
from transformers.utils import is_torchvision_available


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_tower_options(parser)
    parser.add_argument('--phi', type=Path, required=True, help='what lincir wrote, of the architecture lincir')
    parser.add_argument('--gallery', type=Path, required=True, help='safetensors of vectors [n, projection]')
    parser.add_argument('--pictures', type=Path, nargs='+', required=True, help='one query each')
    parser.add_argument('--prompt', required=True, help='with $ for the picture')
    parser.add_argument('--top', type=int, default=50)
    parser.add_argument('--pad', action='store_true', help="pad the prompt to CLIP's 77 positions")
    options = parse_arguments(parser)

    vision_model = load_tower(CLIPVisionModelWithProjection, options)
    text_model = load_tower(CLIPTextModelWithProjection, options)
    # torchvision's is faster than Pillow's.
    kind = 'CLIPImageProcessor' if is_torchvision_available() else 'CLIPImageProcessorPil'
    processor = getattr(transformers, kind).from_pretrained(options.model)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    phi = load_phi(options.phi, text_model.config)
    gallery = load_file(options.gallery)['vectors']

    placeholder = placeholder_id(options.model)
    current = {}
    text_model.text_model.embeddings.token_embedding.register_forward_hook(
        lambda _, inputs, embeddings: with_pseudo_tokens(inputs[0] == placeholder, embeddings, **current)
    )
    encode_picture = in_precision(vision_model, options)
    encode_text = in_precision(text_model, options)

    @torch.inference_mode()
    @autocast(options)
    def query(path):
        times = [time.perf_counter()]
        with Image.open(path) as picture:
            pixels = processor(picture.convert('RGB'), return_tensors='pt').pixel_values
        times.append(time.perf_counter())
        embedding = encode_picture(pixels.to(vision_model.dtype)).image_embeds.float()
        times.append(time.perf_counter())
        current['pseudo_tokens'] = phi(embedding)
        times.append(time.perf_counter())
        padding = 'max_length' if options.pad else 'do_not_pad'
        ids = tokenizer(options.prompt, padding=padding, max_length=77, return_tensors='pt').input_ids
        vector = nn.functional.normalize(encode_text(ids).text_embeds.float())[0]
        times.append(time.perf_counter())
        places = (gallery @ vector).topk(options.top).indices.tolist()
        times.append(time.perf_counter())
        stages = zip(['preprocessing', 'vision', 'phi', 'text', 'search'], times, times[1:])
        milliseconds = {stage: 1000 * (end - begin) for stage, begin, end in stages}
        milliseconds['query'] = 1000 * (times[-1] - times[0])
        return {'milliseconds': milliseconds, 'vector': vector.tolist(), 'places': places}

    def work():
        answers = [query(path) for path in options.pictures]
        return {'answers': answers, 'processor': type(processor).__name__}

    serve(work, len(options.pictures), options)


def load_phi(file, text_config):
    """phi in evaluation mode, with the file's parameters."""
    with safe_open(file, 'pt') as opened:
        metadata = opened.metadata()
    if metadata['architecture'] == 'pic2word' or metadata['l2Normalize'] == 'true':
        raise SystemExit(f'{file}: expected a phi of the architecture lincir that takes embeddings as they are')
    phi = make_phi(text_config.projection_dim, text_config.hidden_size)
    parameters = load_file(file)
    phi.load_state_dict({name.removeprefix('layers.'): value for name, value in parameters.items()})
    return phi.eval().requires_grad_(False)


if __name__ == '__main__':
    main()
