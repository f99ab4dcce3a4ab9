"""Writes unet-levels.safetensors: the output of a small UNet of diffusers' whose levels differ as those of newer models do: one
without attention, several transformer blocks at the others, heads of one width, linear projections, and a vector beside
the timestep. Its weights are hashes of diffusers' names (common.hashed). In float64, with float32's error.
"""

import torch
from diffusers import UNet2DConditionModel

from references import places
from references.common import compute_in, fill, hashed, in_both, save

CONTEXT, POOLED, TIME = 24, 12, 8


def main():
    args = places.parser(__doc__).parse_args()
    net = fill(
        UNet2DConditionModel(
            sample_size=16,
            block_out_channels=(32, 64, 96),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=(1, 2, 3),
            attention_head_dim=(2, 4, 6),
            cross_attention_dim=CONTEXT,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=TIME,
            projection_class_embeddings_input_dim=POOLED + 6 * TIME,
            norm_num_groups=8,
        ),
        hashed,
    )
    given = {
        "x": hashed("x", (2, 4, 16, 16), 1.7),
        "t": torch.tensor([981.0, 21.0]),
        "text": hashed("text", (2, 7, CONTEXT), 1.7),
    }
    pooled, sizes = hashed("pooled", (2, POOLED), 1.7), torch.tensor([[96.0, 128, 0, 0, 96, 128], [64, 64, 8, 0, 64, 64]])

    def run(dtype):
        compute_in(dtype, net)
        seen = []
        watch = net.add_embedding.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        y = net(
            given["x"].to(dtype),
            given["t"].to(dtype),
            given["text"].to(dtype),
            added_cond_kwargs=dict(text_embeds=pooled.to(dtype), time_ids=sizes.to(dtype)),
        ).sample
        watch.remove()
        return {**given, "vector": seen[0], "y": y}

    exact, single = in_both(run)
    save(places.destination(places.UNET_LEVELS, args.out), exact, single, given=("x", "t", "text", "vector"))


if __name__ == "__main__":
    main()
