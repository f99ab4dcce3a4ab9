// One request by OpenAI's client for Node: captures.mjs URL CASE CIRCLE MASK, run where the client is installed.
// captures.py runs it.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {createRequire} from 'node:module';

const OpenAI = createRequire(process.cwd() + '/')('openai');
const [url, which, circle, mask] = process.argv.slice(2);
const client = new OpenAI({baseURL: url, apiKey: 'x', maxRetries: 0});
const few = {num_inference_steps: 2};

// A stream's part has the name of its file.
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'captures-'));
const stream = (from, name) => {
  fs.copyFileSync(from, path.join(folder, name));
  return fs.createReadStream(path.join(folder, name));
};
const file = name => OpenAI.toFile(fs.readFileSync(circle), name, {type: 'image/png'});

const cases = {
  'generate': () =>
    client.images.generate({prompt: 'a cat', n: 1, size: '512x512', response_format: 'b64_json', ...few}),
  'edit-masked': () => client.images.edit(
    {image: stream(circle, 'in.png'), mask: stream(mask, 'mask.png'), prompt: 'hat', n: 2, size: '512x512', ...few}),
  'edit-array': async () =>
    client.images.edit({image: [await file('a.png'), await file('b.png')], prompt: 'hat', ...few}),
  'variation': () => client.images.createVariation({image: stream(circle, 'in.png'), n: 1, size: '256x256', ...few}),
  'models': () => client.models.list(),
};
await cases[which]();
fs.rmSync(folder, {recursive: true});
