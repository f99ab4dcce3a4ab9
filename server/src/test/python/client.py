"""OpenAI's client for Python against the service at the URL given. Ends without a word when all is as it should be."""

import base64
import sys
import urllib.request

import openai

url, folder = sys.argv[1:]
client = openai.OpenAI(base_url=url + "/v1", api_key="random-string", max_retries=0)
few = {"num_inference_steps": 2, "seed": 5}
circle, mask = folder + "/circle.png", folder + "/mask.png"


def picture(path):
    return open(path, "rb")


# The model card's example in its present form.
otter = client.images.generate(prompt="A cute baby sea otter", n=1, size="512x512", extra_body=few)
with urllib.request.urlopen(otter.data[0].url) as fetched:
    assert fetched.read() == base64.b64decode(otter.data[0].b64_json)
assert otter.data[0].seed == 5

assert len(client.images.edit(image=picture(circle), mask=picture(mask), prompt="hat", n=2, extra_body=few).data) == 2
assert client.images.edit(image=[picture(circle), picture(circle)], prompt="hat", extra_body=few).size == "64x64"
assert len(client.images.create_variation(image=picture(circle), extra_body=few).data) == 1

types = [e.type for e in client.images.generate(prompt="a cat", stream=True, partial_images=1, extra_body=few)]
assert types == ["image_generation.partial_image", "image_generation.completed"], types

assert client.models.list().data[0].id == "shapes"
try:
    client.images.generate(prompt="x", size="7x7")
    raise AssertionError("7x7 was drawn")
except openai.BadRequestError as e:
    assert e.param == "size" and e.code == "invalid_value" and e.request_id.startswith("req_"), e
