// OpenAI's client for Node against the service at the URL given. Ends without a word when all is as it should be.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import OpenAI, {toFile} from 'openai';

const [baseURL, folder] = process.argv.slice(2);
const client = new OpenAI({baseURL: `${baseURL}/v1`, apiKey: 'any', maxRetries: 0});
const few = {num_inference_steps: 2, seed: 5};
const circle = `${folder}/circle.png`, mask = `${folder}/mask.png`;

const both = await client.images.generate({prompt: 'a red circle', n: 2, ...few});
assert.equal(both.data.length, 2);
assert.equal(both.data[1].seed, 6);
const fetched = await fetch(both.data[0].url);
assert.deepEqual(Buffer.from(await fetched.arrayBuffer()), Buffer.from(both.data[0].b64_json, 'base64'));

// From a stream: chunked, without a length.
const edited = await client.images.edit(
  {image: fs.createReadStream(circle), mask: fs.createReadStream(mask), prompt: 'a star', ...few});
assert.equal(edited.size, '64x64');
const several = await client.images.edit({
  image: [await toFile(fs.readFileSync(circle), 'a.png', {type: 'image/png'}),
    await toFile(fs.readFileSync(mask), 'b.png', {type: 'image/png'})],
  prompt: 'a star', ...few});
assert.match(several.notes[0], /only the first of 2 images/);
const varied = await client.images.createVariation({image: fs.createReadStream(circle), n: 2, ...few});
assert.equal(varied.data.length, 2);

const types = [];
for await (const event of await client.images.generate(
  {prompt: 'a red circle', stream: true, partial_images: 1, ...few})) types.push(event.type);
assert.deepEqual(types, ['image_generation.partial_image', 'image_generation.completed']);

assert.equal((await client.models.list()).data[0].id, 'shapes');
assert.equal((await client.models.retrieve('shapes')).owned_by, 'gyre');
await assert.rejects(client.models.retrieve('none'), OpenAI.NotFoundError);
await assert.rejects(client.images.generate({prompt: 'x', size: '7x7'}), error => {
  assert.ok(error instanceof OpenAI.BadRequestError);
  assert.equal(error.param, 'size');
  assert.equal(error.code, 'invalid_value');
  assert.match(error.requestID, /^req_/);
  return true;
});

// Whoever goes away is not drawn for.
const going = new AbortController();
const gone = client.images.generate({prompt: 'x', num_inference_steps: 150, n: 10}, {signal: going.signal});
setTimeout(() => going.abort(), 300);
await assert.rejects(gone, OpenAI.APIUserAbortError);
