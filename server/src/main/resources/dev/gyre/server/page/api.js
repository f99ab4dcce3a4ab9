// What the page asks of the service.

const KEY = 'gyre.key';

/** An answer other than success. */
export class ApiError extends Error {
  constructor(status, error) {
    super(error?.message ?? `The service answered ${status}.`);
    this.status = status;
    this.param = error?.param;
  }
}

export const hasKey = () => sessionStorage.getItem(KEY) !== null;

export function setKey(key) {
  if (key) sessionStorage.setItem(KEY, key);
  else sessionStorage.removeItem(KEY);
}

async function ask(path, options = {}) {
  const key = sessionStorage.getItem(KEY);
  const headers = {...options.headers, ...(key && {authorization: `Bearer ${key}`})};
  const response = await fetch(path, {...options, headers});
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  throw new ApiError(response.status, body.error);
}

export const models = async () => (await (await ask('v1/models')).json()).data;
export const options = async () => (await ask('v1/options')).json();

export async function ready() {
  const response = await fetch('ready', {cache: 'no-store'});
  return (await response.json()).status;
}

/** How a PNG says it was drawn, as fields of a request. */
export async function parameters(file) {
  const body = new FormData();
  body.append('image', file);
  return (await ask('v1/images/parameters', {method: 'POST', body})).json();
}

/**
 * Draws. Yields what the service tells: {type, …} with type queued, started, progress, partial_image and completed.
 *
 * @param start {image, mask} as PNG files, if there is a picture to begin with; mask may be missing
 * @param signal ends it when aborted; the service notices
 */
export async function* draw(fields, start, signal) {
  const all = {...fields, stream: true, progress: true};
  let response;
  if (start) {
    const body = new FormData();
    for (const [name, value] of Object.entries(all)) body.append(name, value);
    body.append('image', start.image, 'image.png');
    if (start.mask) body.append('mask', start.mask, 'mask.png');
    response = await ask('v1/images/edits', {method: 'POST', body, signal});
  } else {
    const headers = {'content-type': 'application/json'};
    response = await ask('v1/images/generations', {method: 'POST', headers, body: JSON.stringify(all), signal});
  }
  let last = null;
  for await (const event of events(response.body)) {
    if (event.error) throw new ApiError(200, event.error);
    last = event.type.split('.')[1];
    yield {...event, type: last};
  }
  if (last !== 'completed') throw new Error('The service broke off.');
}

/** The data of server-sent events. */
async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    text += value;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = text.slice(0, end).split('\n').filter(line => line.startsWith('data: '));
      text = text.slice(end + 2);
      if (data.length) yield JSON.parse(data.map(line => line.slice(6)).join('\n'));
    }
  }
}
