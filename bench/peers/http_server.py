"""Composed queries over HTTP in FastAPI and PyTorch, as one writes it: an image of the gallery by its row, and a prompt.

A query goes through phi and CLIP's text tower, unpadded, and is compared with all vectors. The endpoint is a plain
function, so FastAPI runs it on its pool of threads. Nothing is batched. Settings come from the environment, since uvicorn's
workers are processes of their own: MODEL, PHI, EMBEDDINGS, and THREADS of PyTorch (default: its own).
"""

import os
import threading
from pathlib import Path

import torch
from composed_query import load_phi
from fastapi import FastAPI
from pydantic import BaseModel
from safetensors.torch import load_file
from torch import nn
from training import placeholder_id, with_pseudo_tokens
from transformers import AutoTokenizer, CLIPTextModelWithProjection
from transformers.utils import logging

logging.set_verbosity_error()
logging.disable_progress_bar()
if threads := os.environ.get('THREADS'):
    torch.set_num_threads(int(threads))
model = Path(os.environ['MODEL'])
tower = CLIPTextModelWithProjection.from_pretrained(model, dtype=torch.float32).eval().requires_grad_(False)
tokenizer = AutoTokenizer.from_pretrained(model)
phi = load_phi(Path(os.environ['PHI']), tower.config)
embeddings = load_file(os.environ['EMBEDDINGS'])['embeddings']  # [images, projection]
gallery = nn.functional.normalize(embeddings)
placeholder = placeholder_id(model)
current = threading.local()  # each request has a thread to itself
tower.text_model.embeddings.token_embedding.register_forward_hook(
    lambda _, inputs, words: with_pseudo_tokens(inputs[0] == placeholder, words, current.pseudo_tokens)
)


class Query(BaseModel):
    row: int
    prompt: str
    limit: int = 20


app = FastAPI()


@app.get('/ready')
def ready():
    return {'torch': torch.__version__, 'threads': torch.get_num_threads()}


@app.post('/search')
def search(query: Query):
    with torch.inference_mode():
        ids = tokenizer(query.prompt, truncation=True, max_length=77, return_tensors='pt').input_ids
        current.pseudo_tokens = phi(embeddings[query.row : query.row + 1])
        vector = nn.functional.normalize(tower(ids).text_embeds)[0]
        scores = gallery @ vector
        scores[query.row] = -2  # the query's own image is no result
        best = scores.topk(query.limit)
        rows, values = best.indices.tolist(), best.values.tolist()
    return {'images': [{'row': row, 'score': score} for row, score in zip(rows, values)]}
