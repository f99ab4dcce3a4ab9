"""Writes webui-prompts.tsv: how AUTOMATIC1111's web UI reads prompts, by its own code. Columns, all JSON: the prompt;
[last step, prompt until then] of ten steps; [text, weight], a BREAK has −1; chunks of token ids and [weight, count]
runs.

The prompts are those of the first column, most of them once drawn at random: brackets, numbers and words, and long ones
of several chunks. A line that has only a prompt gets its other columns. A prompt that the web UI's grammar cannot parse
ends the script. Add none with a BREAK inside brackets, which the web UI takes for text and Gyre does not.
"""

import json
import sys
import types
from itertools import groupby
from unittest.mock import MagicMock

from references import places
from references.common import END, START, tokenizer

# The chunks' rules stand in a module that imports the whole program; they need two of its settings, at their defaults.
for name in ("devices", "sd_hijack", "sd_emphasis"):
    sys.modules["modules." + name] = MagicMock()
sys.modules["modules.shared"] = types.SimpleNamespace(
    opts=types.SimpleNamespace(emphasis="Original", comma_padding_backtrack=20)
)

from modules import prompt_parser
from modules.sd_hijack_clip import FrozenCLIPEmbedderWithCustomWordsBase

STEPS = 10


class Chunker(FrozenCLIPEmbedderWithCustomWordsBase):
    """The web UI's rules for chunks, with Hugging Face's tokenizer and no learned words."""

    def __init__(self):
        no_words = types.SimpleNamespace(find_embedding_at_position=lambda tokens, offset: (None, None))
        super().__init__(None, types.SimpleNamespace(embedding_db=no_words))
        self.tokenizer = tokenizer()
        self.comma_token = self.tokenizer.get_vocab()[",</w>"]
        self.id_start, self.id_end = START, END

    def tokenize(self, texts):
        return self.tokenizer(texts, add_special_tokens=False)["input_ids"]

    def chunks(self, prompt):
        """[ids, [[weight, count], …]] of each chunk, without the start and what pads it."""
        made = []
        for chunk in self.tokenize_line(prompt)[0]:
            ids, weights = chunk.tokens[1:-1], chunk.multipliers[1:-1]
            while ids and ids[-1] == END:
                ids, weights = ids[:-1], weights[:-1]
            runs = [[weight, len(list(run))] for weight, run in groupby(round(w, 6) for w in weights)]
            made.append([ids, runs])
        return made


def columns(prompt, chunker):
    prompt_parser.schedule_parser.parse(prompt)  # where this fails the next line takes the prompt for text
    schedule = prompt_parser.get_learned_conditioning_prompt_schedules([prompt], STEPS)[0]
    return prompt, schedule, prompt_parser.parse_prompt_attention(prompt), chunker.chunks(prompt)


def main():
    args = places.parser(__doc__).parse_args()
    prompts = [
        json.loads(line.split("\t")[0]) for line in places.WEBUI_PROMPTS.read_text(encoding="ascii").splitlines()
    ]
    chunker = Chunker()
    lines = [
        "\t".join(json.dumps(c, separators=(",", ":")) for c in columns(prompt, chunker)) + "\n" for prompt in prompts
    ]
    places.destination(places.WEBUI_PROMPTS, args.out).write_text("".join(lines), encoding="ascii")


if __name__ == "__main__":
    main()
