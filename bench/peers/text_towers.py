"""Text towers with their projection, where transformers has no class of its own for both."""

import json
from types import SimpleNamespace

import torch
from safetensors.torch import load_file
from transformers import ChineseCLIPModel


class ChineseClipText(ChineseCLIPModel):
    def forward(self, ids):
        return self.get_text_features(input_ids=ids)

    def get_input_embeddings(self):
        return self.text_model.embeddings.word_embeddings


class OpenClipText(torch.nn.Module):
    """OpenCLIP's text tower that transformers makes, from the config.json beside OpenCLIP's own."""

    def __init__(self, text):
        super().__init__()
        self.text = text

    @classmethod
    def from_pretrained(cls, folder, dtype, attn_implementation):
        import open_clip

        config = json.loads((folder / 'open_clip_config.json').read_text(encoding='utf-8'))['model_cfg']
        text = {**config['text_cfg'], 'hf_model_name': str(folder), 'hf_model_pretrained': False}
        with torch.device('meta'):
            model = open_clip.CustomTextCLIP(config['embed_dim'], config['vision_cfg'], text)
        model.load_state_dict(load_file(folder / 'open_clip_model.safetensors'), assign=True, strict=False)
        # Tables that are in no file.
        embeddings = model.text.transformer.embeddings
        positions = torch.arange(model.text.config.max_position_embeddings).expand((1, -1))
        embeddings.position_ids = torch.nn.Buffer(positions, persistent=False)
        embeddings.token_type_ids = torch.nn.Buffer(torch.zeros_like(positions), persistent=False)
        model.text.transformer.set_attn_implementation(attn_implementation)
        return cls(model.text).to(dtype)

    def forward(self, ids):
        return SimpleNamespace(text_embeds=self.text(ids))

    def get_input_embeddings(self):
        return self.text.transformer.embeddings.word_embeddings
