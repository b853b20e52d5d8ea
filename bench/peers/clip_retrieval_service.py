"""clip-retrieval's own service, as it is published, with the model and the gallery of the benchmark.

The settings come from the environment: MODEL, EMBEDDINGS, NAMES (a path a line), FOLDER for its index, PORT, and THREADS of
PyTorch. The index is flat: at 10,000 vectors it is exact, as lincir's is. The package's own `__init__` imports all of its
commands, with what they need, so the service's module is loaded alone. It needs (with --no-deps, and transformers 4):
clip-retrieval==2.45.0 all_clip clip-anytorch open_clip_torch timm ftfy wcwidth faiss-cpu fire flask flask_restful flask_cors
pandas pyarrow h5py prometheus-client "setuptools<81" "transformers<5" "huggingface_hub<1" "tokenizers<0.23" and what they need.
"""

import importlib.util
import json
import logging
import os
import sys
import types
from pathlib import Path

import faiss
import numpy as np
import pandas as pd
import torch
from safetensors.numpy import load_file

folder = importlib.util.find_spec('clip_retrieval').submodule_search_locations[0]
package = types.ModuleType('clip_retrieval')
package.__path__ = [folder]
package.__file__ = f'{folder}/__init__.py'
sys.modules['clip_retrieval'] = package
from clip_retrieval.clip_back import clip_back  # noqa: E402

threads = int(os.environ['THREADS'])
torch.set_num_threads(threads)
faiss.omp_set_num_threads(threads)
logging.getLogger('werkzeug').setLevel(logging.ERROR)  # a line for each request

place = Path(os.environ['FOLDER'])
if not (place / 'indices.json').exists():
    (place / 'metadata').mkdir(parents=True)
    vectors = load_file(os.environ['EMBEDDINGS'])['embeddings']
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    faiss.write_index(index, str(place / 'image.index'))
    names = Path(os.environ['NAMES']).read_text().split('\n')[: len(vectors)]
    pd.DataFrame({'url': names}).to_parquet(place / 'metadata/0.parquet')
    (place / 'indices.json').write_text(json.dumps({'gallery': str(place)}))

clip_back(
    indices_paths=str(place / 'indices.json'),
    port=int(os.environ['PORT']),
    clip_model=f'hf_clip:{os.environ["MODEL"]}',
    use_jit=False,
    enable_mclip_option=False,
    provide_aesthetic_embeddings=False,
)
