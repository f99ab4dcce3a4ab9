// The form, what is going on, and the dialogs.

import * as api from './api.js';
import {Brush} from './brush.js';
import {Gallery} from './gallery.js';

const $ = id => document.getElementById(id);
const form = $('form'), brush = new Brush($('canvas')), gallery = new Gallery($('gallery'));
const FORM = 'gyre.form', SHAPES = [[1, 1], [3, 2], [2, 3], [16, 9], [9, 16]];

let settings = new Map(), models = [], running = null, shown = null, startFile = null;

// --- what there is to choose from -------------------------------------------------------------------------------------

function choices(select, list) {
  const before = select.value;
  select.replaceChildren(...list.map(([value, text]) => new Option(text ?? value, value)));
  if (list.some(([value]) => value === before)) select.value = before;
}

const model = () => models.find(m => m.id === $('model').value) ?? models[0];
const eight = x => Math.max(8, Math.round(x / 8) * 8);

function sizes() {
  const side = Number(model().defaults.size.split('x')[0]);
  const all = SHAPES.map(([w, h]) => `${eight(side * Math.sqrt(w / h))}x${eight(side * Math.sqrt(h / w))}`);
  for (const larger of [2, 4]) if ((larger * side) ** 2 <= limits.pixels) all.push(`${larger * side}x${larger * side}`);
  const list = [...new Set(all)].map(size => [size, size.replace('x', ' × ')]);
  if (!brush.isEmpty) {
    const scale = side / Math.max(brush.width, brush.height);
    const fit = `${eight(brush.width * scale)}x${eight(brush.height * scale)}`;
    list.unshift(list.find(([size]) => size === fit) ?? [fit, `${fit.replace('x', ' × ')}, its shape`]);
  }
  choices($('size'), [...new Set(list)]);
  if (!brush.isEmpty) $('size').selectedIndex = 0;
}

function defaults() {
  const {defaults} = model();
  $('num_inference_steps').placeholder = defaults.num_inference_steps;
  $('guidance_scale').placeholder = defaults.guidance_scale;
}

let limits = {pixels: 1 << 20, steps: 150};

/** The service's settings that the page has no field of its own for get one each. */
function addSettings(all) {
  settings = new Map(all.map(setting => [setting.name, setting]));
  $('strength').value = settings.get('strength').value;
  for (const setting of all) {
    if (form.elements[setting.name]) continue;
    const label = document.createElement('label'), input = document.createElement('input');
    Object.assign(input, {id: setting.name, name: setting.name});
    if (setting.type === 'boolean') Object.assign(input, {type: 'checkbox', value: 'true'});
    else if (setting.type === 'string') input.placeholder = setting.default;
    else {
      Object.assign(input, {type: 'number', step: setting.type === 'integer' ? 1 : 'any', placeholder: setting.default});
      for (const [end, attribute] of [['minimum', 'min'], ['maximum', 'max']]) if (end in setting) input[attribute] = setting[end];
    }
    if (setting.choices) {
      const list = document.createElement('datalist');
      list.id = `${setting.name}-choices`;
      list.replaceChildren(...setting.choices.map(choice => new Option(choice, choice)));
      input.setAttribute('list', list.id);
      label.append(list);
    }
    label.title = setting.help;
    label.prepend(`${setting.label} `, input);
    $(setting.image ? 'image-settings' : 'more-settings').append(label);
  }
}

/** Empties those fields, which a picture's parameters that do not name them leave at their defaults. */
function clearSettings() {
  for (const field of document.querySelectorAll('#more-settings [name], #image-settings [name]'))
    if (field.type === 'checkbox') field.checked = false;
    else if (settings.has(field.name)) field.value = '';
}

async function connect() {
  try {
    const [list, options] = await Promise.all([api.models(), api.options()]);
    models = list;
    limits = options.limits;
    addSettings(options.settings);
    choices($('model'), models.map(m => [m.id]));
    choices($('sampler'), options.samplers.map(s => [s.name, s.label]));
    $('sampler').value = model().defaults.sampler;
    $('num_inference_steps').max = limits.steps;
    choices($('precision'), options.precisions.map(p => [p]));
    $('precision-field').hidden = options.precisions.length < 2;
    $('loras').replaceChildren(...options.loras.map(name => new Option(name, name)));
    $('lora-field').hidden = options.loras.length === 0;
    sizes();
    defaults();
    restore();
  } catch (e) {
    if (e.status === 401) askForKey();
    else problem(e);
  }
}

async function watch() {
  const words = {ok: 'ready', loading: 'loading the model', stopping: 'being stopped'};
  let status;
  try {
    status = await api.ready();
  } catch {
    status = null;
  }
  $('service').textContent = words[status] ?? 'not reachable';
  $('service').className = `service ${status === 'ok' ? 'ok' : status ? '' : 'off'}`;
  setTimeout(watch, status === 'ok' ? 10000 : 1500);
}

function askForKey() {
  $('key-button').hidden = false;
  if (!$('key-dialog').open) $('key-dialog').showModal();
}

// --- the form ---------------------------------------------------------------------------------------------------------

function fields() {
  const all = {};
  for (const [name, value] of new FormData(form)) {
    const setting = settings.get(name);
    if (value === '' || setting?.image && brush.isEmpty) continue;
    if (name === 'precision' && $('precision-field').hidden) continue;
    const kind = setting?.type;
    all[name] = kind === 'integer' || kind === 'number' ? Number(value) : kind === 'boolean' ? value === 'true' : value;
  }
  return {model: $('model').value, ...all};
}

function fill(values) {
  for (const [name, value] of Object.entries(values)) {
    const field = name === 'model' ? $('model') : form.elements[name];
    if (!field || value === null) continue;
    if (field.tagName === 'SELECT' && ![...field.options].some(o => o.value === String(value))) {
      if (name !== 'size') continue;
      field.append(new Option(String(value).replace('x', ' × '), value));
    }
    if (field.type === 'checkbox') field.checked = value === true;
    else field.value = value;
  }
  showStrength();
}

function keep() {
  const {seed, ...rest} = fields();
  localStorage.setItem(FORM, JSON.stringify(rest));
}

function restore() {
  try {
    fill(JSON.parse(localStorage.getItem(FORM)) ?? {});
  } catch {
    localStorage.removeItem(FORM);
  }
}

const showStrength = () => { $('strength-value').value = Number($('strength').value).toFixed(2); };

// --- drawing ----------------------------------------------------------------------------------------------------------

async function draw() {
  if (running || !form.reportValidity()) return;
  running = new AbortController();
  keep();
  problem(null);
  busy(true);
  tell('Sending …', null);
  try {
    const start = brush.isEmpty ? null : await brush.files();
    for await (const event of api.draw(fields(), start, running.signal)) await hear(event, start);
  } catch (e) {
    if (e.name === 'AbortError') tell('Cancelled', null);
    else if (e.status === 401) askForKey();
    else problem(e);
  } finally {
    running = null;
    busy(false);
  }
}

async function hear(event, start) {
  switch (event.type) {
    case 'queued':
      tell(event.position === 0 ? 'Next in line …' : `Waiting: ${event.position} before this …`, null);
      break;
    case 'started':
      tell('Reading the prompt …', null);
      break;
    case 'progress': {
      const which = event.count > 1 ? `Picture ${event.index + 1} of ${event.count}, step` : 'Step';
      const left = event.seconds_left >= 1 ? `, ${duration(event.seconds_left)} left` : '';
      tell(`${which} ${event.step} of ${event.steps}${left}`, (event.index + event.step / event.steps) / event.count);
      if (event.b64_json) preview(`data:image/png;base64,${event.b64_json}`, true);
      break;
    }
    case 'partial_image':
      preview(`data:image/png;base64,${event.b64_json}`, false);
      break;
    case 'completed': {
      const bytes = Uint8Array.from(atob(event.b64_json), c => c.charCodeAt(0));
      const blob = new Blob([bytes], {type: `image/${event.output_format}`});
      preview(`data:${blob.type};base64,${event.b64_json}`, false);
      const lora = $('lora').value && {lora: $('lora').value};
      await gallery.add({blob, start, parameters: {...event.parameters, ...lora}, notes: event.notes ?? []});
      break;
    }
  }
}

const duration = seconds => seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;

function tell(text, part) {
  $('status').textContent = text;
  if (part === null) $('progress').removeAttribute('value');
  else $('progress').value = part;
}

function preview(url, glance) {
  $('preview').src = url;
  $('preview').classList.toggle('glance', glance);
}

function busy(is) {
  $('generate').disabled = is;
  $('generate').textContent = is ? 'Generating …' : 'Generate';
  $('cancel').hidden = !is;
  $('stage').hidden = !is;
  if (is) $('preview').removeAttribute('src');
  if (is && matchMedia('(max-width: 52rem)').matches) $('stage').scrollIntoView({block: 'center'});
}

function problem(e) {
  $('problem').hidden = e === null;
  $('problem').textContent = e?.message ?? '';
  if (e?.param && form.elements[e.param]?.focus) form.elements[e.param].focus();
}

// --- the picture to begin with ----------------------------------------------------------------------------------------

async function begin(file, mask) {
  try {
    await brush.load(file, mask);
  } catch {
    problem(new Error('This is no picture that can be read.'));
    return;
  }
  startFile = file;
  problem(null);
  $('editor').hidden = false;
  $('drop').hidden = true;
  $('parameters').hidden = file.type !== 'image/png';
  sizes();
}

function noStart() {
  brush.remove();
  startFile = null;
  $('editor').hidden = true;
  $('drop').hidden = false;
  $('file').value = '';
  sizes();
}

async function takeParameters(file) {
  try {
    const parameters = await api.parameters(file);
    clearSettings();
    fill(parameters);
    problem(null);
  } catch (e) {
    problem(e);
  }
}

function erase(is) {
  brush.erasing = is;
  $('paint').setAttribute('aria-pressed', !is);
  $('erase').setAttribute('aria-pressed', is);
}

function pictureOf(transfer) {
  return [...(transfer?.files ?? [])].find(file => file.type.startsWith('image/'));
}

// --- a picture's dialog -----------------------------------------------------------------------------------------------

gallery.onopen = picture => {
  shown = picture;
  const {parameters} = picture;
  $('detail-image').src = gallery.url(picture.id);
  $('detail-image').alt = parameters.prompt;
  const labels = [...[...settings.values()].map(({name, label}) => [name, label]), ['lora', 'LoRA'], ['model', 'Model']];
  const facts = labels.filter(([name]) => parameters[name] !== undefined && parameters[name] !== '');
  $('detail-facts').replaceChildren(...facts.flatMap(([name, label]) => {
    const dt = document.createElement('dt'), dd = document.createElement('dd');
    dt.textContent = label;
    dd.textContent = String(parameters[name]);
    return [dt, dd];
  }));
  for (const note of picture.notes) {
    const dd = document.createElement('dd');
    dd.textContent = note;
    dd.className = 'quiet wide';
    $('detail-facts').append(dd);
  }
  $('download').href = gallery.url(picture.id);
  const words = (parameters.prompt || 'variation').toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, 60);
  $('download').download = `${words}-${parameters.seed}.png`;
  $('detail').showModal();
};

gallery.onchange = () => {
  $('empty').hidden = gallery.size > 0;
  $('forget').hidden = gallery.size === 0;
};

// --- events -----------------------------------------------------------------------------------------------------------

form.addEventListener('submit', event => { event.preventDefault(); draw(); });
form.addEventListener('change', keep);
document.addEventListener('keydown', event => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !document.querySelector('dialog[open]')) draw();
  if (event.key === 'Escape' && running && !document.querySelector('dialog[open]')) running.abort();
});
$('cancel').addEventListener('click', () => running?.abort());
$('any-seed').addEventListener('click', () => { $('seed').value = ''; $('seed').focus(); });
$('model').addEventListener('change', () => { sizes(); defaults(); keep(); });
$('strength').addEventListener('input', showStrength);

$('file').addEventListener('change', () => { if ($('file').files[0]) begin($('file').files[0]); });
$('paint').addEventListener('click', () => erase(false));
$('erase').addEventListener('click', () => erase(true));
$('brush').addEventListener('input', () => { brush.size = Number($('brush').value); });
$('undo').addEventListener('click', () => brush.undo());
$('clear').addEventListener('click', () => brush.clear());
$('remove').addEventListener('click', noStart);
$('parameters').addEventListener('click', () => takeParameters(startFile));
for (const kind of ['dragover', 'dragleave', 'drop'])
  document.addEventListener(kind, event => {
    event.preventDefault();
    form.classList.toggle('over', kind === 'dragover');
    const file = kind === 'drop' && pictureOf(event.dataTransfer);
    if (file) begin(file);
  });
document.addEventListener('paste', event => {
  const file = pictureOf(event.clipboardData);
  if (file) begin(file);
});

$('remake').addEventListener('click', async () => {
  $('detail').close();
  if (shown.start) await begin(shown.start.image, shown.start.mask);
  else if (!brush.isEmpty) noStart();
  clearSettings();
  fill(shown.parameters);
  $('prompt').focus();
});
$('begin').addEventListener('click', async () => {
  fill({prompt: shown.parameters.prompt});
  $('detail').close();
  await begin(shown.blob);
  $('start').scrollIntoView({block: 'nearest'});
});
$('delete').addEventListener('click', async () => {
  $('detail').close();
  await gallery.remove(shown.id);
});
$('close').addEventListener('click', () => $('detail').close());
$('detail').addEventListener('click', event => { if (event.target === $('detail')) $('detail').close(); });
$('forget').addEventListener('click', () => {
  if (confirm('Forget all pictures? They are kept in this browser alone.')) gallery.clear();
});
$('key-button').addEventListener('click', askForKey);
$('key-form').addEventListener('submit', () => {
  api.setKey($('key').value.trim());
  $('key').value = '';
  connect();
});

$('key-button').hidden = !api.hasKey();
watch();
gallery.load();
connect();
