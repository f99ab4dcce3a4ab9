"""Writes hf-vectors.tsv: texts (JSON strings) and the tokens that Hugging Face's CLIP tokenizer makes of them."""

import json
import random

from references import places
from references.common import tokenizer

FIXED = """a photograph of an astronaut riding a horse
Hello, World!!
it's 2024, isn't it?
I'll say we've they're I'm he'd SHE'LL DON'T
café naïve 東京 🚀
1234.56
(1girl:1.2), 8k
…
under_score __init__ snake_case
C++ & C# -> F# <= >= != ===
a--b---c----d
$100 €50 £20 ¥1000 ₿1
½ ⅓ ¾ ² ³ ¹ ⅷ Ⅻ ① ⑳
١٢٣ ४५६ ๗๘๙ 一二三 〇
ﬁ ﬂ ﬀ ﬃ ſt ﬆ
ＡＢＣ ａｂｃ １２３ ！？
ΟΔΥΣΣΕΥΣ Σίσυφος ΣΑΣ ς σ
İstanbul ISPARTA ıspanak I İ ı
Straße STRASSE ẞ ß
ÀÉÎÕÜ àéîõü ÇÑ
e\u0301 a\u0308 o\u0302 n\u0303
Å \u212b A\u030a
한국어 조합 \u1112\u1161\u11ab
नमस्ते दुनिया क्षत्रिय
مرحبا بالعالم السَّلَامُ
שלום עולם שָׁלוֹם
สวัสดีชาวโลก
ภาษาไทย
Привет, мир! ЁЖИК
ქართული ᲥᲐᲠᲗᲣᲚᲘ
Հայերեն ՀԱՅԵՐԵՆ և
ᎣᏏᏲ ꭳꮟᏺ
👨‍👩‍👧‍👦 family
🏳️‍🌈 🇯🇵 👍🏽 ❤️ ☺ ☺️
😀😃😄😁😆
a\u200bb a\u200cb a\u200db a\ufeffb
tab\there new\nline cr\rlf\r\n
nbsp\u00a0here \u3000ideographic\u3000space \u2028line\u2029para \u2003em\u2009thin
  leading and trailing   
\u0085next line
control\u0001\u0002\u0007 chars\u007f\u0080
&amp; &lt;b&gt; &#39;quoted&#39; &nbsp;
donâ€™t mojibake Ã© Ã¼
‘single’ “double” «guillemets» ‹x› „low“
don’t it’s we’ll
<|startoftext|>
<|endoftext|>
a <|endoftext|> b <|startoftext|> c
<|endoftext|><|endoftext|>
<|ENDOFTEXT|> <|Startoftext|>
< |endoftext| > <|endoftext>
x<|endoftext|>y
𝕳𝖊𝖑𝖑𝖔 𝓦𝓸𝓻𝓵𝓭 𝟙𝟚𝟛
𐐀𐐁𐐨 𐤀𐤁
Ǆ ǅ ǆ Ǉ ǋ
ŉ ǰ ΐ
KELVIN \u212a OHM \u2126
x² + y³ = z⁴ ∑∫√∞≠≈
https://example.com/path?query=1&x=%20#frag
user@example.com
#hashtag @mention
100% 50°C 3×4 5÷6
1,000,000.00
2024-01-01T12:00:00Z
v1.5 sd_xl 4k 8K UHD
'tis 'twas ''' '' '
's 't 're 've 'm 'll 'd
''s 't's x's's
'S 'T 'RE
(((masterpiece))), [[worst quality]], {curly}
\\backslash \\( escaped \\)
a,b;c:d.e!f?g
......
!!!!!!!!!!
?!?!?!
~`@#$%^&*()_+-={}[]|\\:;"'<>,.?/
supercalifragilisticexpialidocious
pneumonoultramicroscopicsilicovolcanoconiosis
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
ABCDEFGHIJKLMNOPQRSTUVWXYZ
ñandú Ñandú
ＫＡＴＡＫＡＮＡ カタカナ ｶﾀｶﾅ ひらがな
你好，世界！
繁體中文 简体中文
ⓐⓑⓒ ⒶⒷⒸ
ª º µ
ʰ ʲ ˈstɹɛs
a\u0300\u0301\u0302b
\u0301alone
Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞
\u00ad soft\u00adhyphen
⠃⠗⠁⠊⠇⠇⠑
♔♕♖ ♠♣♥♦ ☯☮
→←↑↓ ⇒ ⟶
── ═══ ▓▒░
©®™ ℠ № ℃
""".split("\n")

WORDS = (
    "a an the of on in with and by at red blue green golden ancient futuristic tiny giant portrait photo painting sketch render "
    "cat dog dragon robot castle forest ocean mountain city street woman man child knight astronaut samurai wizard cyberpunk "
    "steampunk baroque impressionist watercolor oil digital art trending artstation unreal engine octane volumetric lighting "
    "cinematic sharp focus bokeh 35mm f/1.4 8k hdr ultra-detailed Greg Rutkowski Alphonse Mucha Studio Ghibli Van Gogh's "
    "don't it's 1990s (masterpiece:1.3) [ugly] best_quality NSFW -- | & + 16:9"
).split()

BLOCKS = [
    (0x20, 0x7E),
    (0xA0, 0x24F),
    (0x370, 0x3FF),
    (0x400, 0x4FF),
    (0x5D0, 0x5EA),
    (0x621, 0x64A),
    (0x905, 0x939),
    (0xE01, 0xE2E),
    (0x3041, 0x3096),
    (0x30A1, 0x30FA),
    (0x4E00, 0x5000),
    (0xAC00, 0xAD00),
    (0x2000, 0x206F),
    (0x2190, 0x21FF),
    (0x1F300, 0x1F5FF),
]


def drawn():
    """Sentences of common words, and strings of characters of many scripts."""
    dice = random.Random(7)
    for _ in range(110):
        ends = ["", "", "", ",", ".", "!", "'s", "-"]
        yield " ".join(dice.choice(WORDS) + dice.choice(ends) for _ in range(dice.randint(1, 40)))
    for _ in range(60):
        text = ""
        for _ in range(dice.randint(1, 30)):
            c = chr(dice.randint(*dice.choice(BLOCKS)))
            text += c if c.isprintable() or c.isspace() else " "
            if dice.random() < 0.2:
                text += " "
        yield text


def main():
    args = places.parser(__doc__).parse_args()
    tokens = tokenizer()
    with places.destination(places.HF_VECTORS, args.out).open("w", encoding="ascii") as out:
        for text in [*FIXED, *drawn()]:
            out.write(
                json.dumps(text) + "\t" + " ".join(map(str, tokens(text, add_special_tokens=False)["input_ids"])) + "\n"
            )


if __name__ == "__main__":
    main()
