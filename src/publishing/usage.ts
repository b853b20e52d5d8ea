/** The model card's section on how to use a phi: with lincir, and in Python. */

import type { PhiArchitecture, PhiInfo } from '../phi/index.ts';
import type { CardFile } from './card.ts';

export function usage(info: PhiInfo, { id, name, layout }: CardFile): string {
  const place = id ?? name;
  const model = info.model ?? 'MODEL';
  return [
    '## How to use it',
    `With lincir, on an index of your photos:

\`\`\`sh
lincir index photos --index photos.lance --model ${model}
lincir search --index photos.lance --phi ${place} --image dog.jpg --text 'is swimming'
\`\`\``,
    `In Python, with PyTorch. \`image_embeds\` are the model's projected embeddings of images, such as a CLIP's \`image_embeds\` in
transformers, and \`pooler_output\` of a SigLIP's vision tower:

\`\`\`python
import torch
${id === undefined ? '' : 'from huggingface_hub import hf_hub_download\n'}from torch import nn


${network(info, layout)}

checkpoint = torch.load(${id === undefined ? `'${name}'` : `hf_hub_download('${id}', '${name}')`}, weights_only=True)
phi = Phi().eval()
phi.load_state_dict(${states[layout]})
\`\`\``,
    ...(layout === 'pic2word'
      ? []
      : [`Code that takes LinCIR's or SEARLE's own files finds what it asks for: \`checkpoint['Phi']\`.`]),
  ].join('\n\n');
}

const states: Readonly<Record<PhiArchitecture, string>> = {
  lincir: "checkpoint['Phi']",
  searle: "checkpoint['Phi']",
  pic2word:
    "{name.removeprefix('module.'): tensor for name, tensor in checkpoint['state_dict_img2text'].items()}",
};

/** The network as a class, which the tests run. */
function network(
  { shape: { input, hidden, output }, l2Normalize }: PhiInfo,
  layout: PhiArchitecture,
): string {
  const scale = l2Normalize ? '\n        image_embeds = nn.functional.normalize(image_embeds, dim=-1)' : '';
  const layers =
    layout === 'pic2word'
      ? `        self.layers = nn.Sequential(
            nn.Sequential(nn.Linear(${input}, ${hidden}), nn.Dropout(), nn.ReLU()),
            nn.Sequential(nn.Linear(${hidden}, ${hidden}), nn.Dropout(), nn.ReLU()),
        )
        self.fc_out = nn.Linear(${hidden}, ${output})`
      : `        self.layers = nn.Sequential(
            nn.Linear(${input}, ${hidden}), nn.GELU(), nn.Dropout(),
            nn.Linear(${hidden}, ${hidden}), nn.GELU(), nn.Dropout(),
            nn.Linear(${hidden}, ${output}),
        )`;
  const result =
    layout === 'pic2word' ? 'self.fc_out(self.layers(image_embeds))' : 'self.layers(image_embeds)';
  return `class Phi(nn.Module):
    def __init__(self):
        super().__init__()
${layers}

    def forward(self, image_embeds):  # [n, ${input}]${l2Normalize ? '' : ', not normalized'}${scale}
        return ${result}  # [n, ${output}]: pseudo tokens, in place of the token embedding of \`$\`
`;
}
