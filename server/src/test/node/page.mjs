// The page at the URL given, in a headless Chromium: generates, watches, paints over, cancels, remakes. Pictures of it go to the folder
// given. Ends without a word when all is as it should be.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {chromium} from 'playwright-core';

const [url, folder, executablePath] = process.argv.slice(2);
const browser = await chromium.launch({executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic',
  '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']});
const problems = [];

async function opened(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(90_000);
  page.on('pageerror', e => problems.push(`error: ${e.message}`));
  page.on('console', m => { if (['error', 'warning'].includes(m.type())) problems.push(`console: ${m.text()}`); });
  // Nothing comes from elsewhere.
  page.on('request', r => { if (!/^(data|blob):/.test(r.url()) && !r.url().startsWith(url)) problems.push(r.url()); });
  await page.goto(url);
  await page.waitForFunction(() => document.querySelector('#service').textContent === 'ready');
  return page;
}

const shot = (page, name) => page.screenshot({path: `${folder}/${name}.png`});
const pictures = page => page.locator('#gallery li').count();
const drawn = (page, count) => page.waitForFunction(
  n => document.querySelectorAll('#gallery li').length === n && !document.querySelector('#generate').disabled, count);
const drawing = page => page.waitForFunction(() => /step/i.test(document.querySelector('#status').textContent));

/** Whether the canvas has the brush's colour at a point, which is given in parts of its sides. */
const painted = (page, x, y) => page.evaluate(([x, y]) => {
  const canvas = document.querySelector('#canvas'), point = new OffscreenCanvas(1, 1).getContext('2d');
  point.drawImage(canvas, -Math.floor(x * canvas.width), -Math.floor(y * canvas.height));
  const [r, g, b] = point.getImageData(0, 0, 1, 1).data;
  return r - g > 100 && b - g > 50;
}, [x, y]);

const page = await opened({viewport: {width: 1280, height: 900}});
await shot(page, 'empty');

// By keyboard alone: the prompt, then Ctrl+Enter.
await page.keyboard.press('Tab');
await page.keyboard.press('Enter');
await page.keyboard.type('a red circle on a blue background');
await page.fill('#num_inference_steps', '8');
await page.selectOption('#n', '2');
await page.fill('#seed', '3');
await page.focus('#prompt');
await page.keyboard.press('Control+Enter');
await drawing(page);
assert.match(await page.getAttribute('#preview', 'src'), /^data:image\/png/);
await shot(page, 'drawing');
await drawn(page, 2);

// A picture's parameters, and its download.
await page.click('#gallery li:last-child button');
assert.match(await page.textContent('#detail-facts'), /Seed3/);
await shot(page, 'picture');
async function downloaded() {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download')]);
  assert.equal(download.suggestedFilename(), 'a-red-circle-on-a-blue-background-3.png');
  return fs.readFileSync(await download.path());
}
const first = await downloaded();

// Closed and opened again by keyboard.
await page.keyboard.press('Escape');
await page.waitForSelector('#detail:not([open])', {state: 'attached'});
assert.equal(await page.evaluate(() => document.activeElement.closest('li') === document.querySelector('#gallery li:last-child')), true);
await page.keyboard.press('Enter');
await page.waitForSelector('#detail[open]');

// Remade, it is the same to the byte.
await page.click('#remake');
assert.equal(await page.inputValue('#seed'), '3');
await page.selectOption('#n', '1');
await page.click('#generate');
await drawn(page, 3);
await page.click('#gallery li:first-child button');
assert.ok((await downloaded()).equals(first));
await page.click('#close');

// Painted over, by mouse and by keyboard.
await page.click('#gallery button');
await page.click('#begin');
await page.waitForSelector('#editor:not([hidden])');
const box = await page.locator('#canvas').boundingBox();
await page.mouse.move(box.x + box.width * 0.3, box.y + box.height * 0.5);
await page.mouse.down();
await page.mouse.move(box.x + box.width * 0.7, box.y + box.height * 0.5, {steps: 5});
await page.mouse.up();
await page.focus('#canvas');
for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowDown');
assert.ok(!await painted(page, 0.5, 0.62));
await page.keyboard.press('Space');
assert.ok(await painted(page, 0.5, 0.62));
await page.fill('#prompt', 'a green star on a blue background');
await shot(page, 'brush');
await page.click('#generate');
await drawn(page, 4);

// What was not painted over is as it was.
const corner = await page.evaluate(async () => {
  const read = async image => {
    await image.decode();
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    canvas.getContext('2d').drawImage(image, 0, 0);
    return Array.from(canvas.getContext('2d').getImageData(0, 0, 20, 20).data);
  };
  const [now, before] = document.querySelectorAll('#gallery img');
  const a = await read(now), b = await read(before);
  return Math.max(...a.map((x, i) => Math.abs(x - b[i])));
});
assert.ok(corner <= 2, `the corner changed by ${corner}`);
await page.click('#undo');
await page.click('#remove');

// Cancelled, nothing is added, and the service draws for the next.
await page.fill('#num_inference_steps', '150');
await page.click('#generate');
await drawing(page);
await page.keyboard.press('Escape');
await page.waitForFunction(() => !document.querySelector('#generate').disabled);
assert.equal(await pictures(page), 4);

// A mistake is said, and the field that it is about has the focus.
if (!await page.isVisible('#schedule')) await page.click('#more summary');
await page.fill('#schedule', 'magic');
await page.click('#generate');
await page.waitForSelector('#problem:not([hidden])');
assert.match(await page.textContent('#problem'), /magic/);
assert.equal(await page.evaluate(() => document.activeElement.id), 'schedule');
problems.splice(0, problems.length, ...problems.filter(p => !/status of 400/.test(p)));

// Kept over a reload.
await page.reload();
await page.waitForFunction(() => document.querySelectorAll('#gallery li').length === 4);
page.once('dialog', dialog => dialog.dismiss());
await page.click('#forget');
assert.equal(await pictures(page), 4);
page.once('dialog', dialog => dialog.accept());
await page.click('#forget');
await drawn(page, 0);

// On a phone, in the dark: all within its width.
const phone = await opened(
  {viewport: {width: 390, height: 844}, deviceScaleFactor: 2, isMobile: true, hasTouch: true, colorScheme: 'dark'});
assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
await phone.fill('#prompt', 'a yellow star on a black background');
await phone.fill('#num_inference_steps', '4');
await shot(phone, 'phone');
await phone.tap('#generate');
await drawn(phone, 1);
await phone.tap('#gallery button');
await shot(phone, 'phone-picture');
await phone.tap('#begin');
await phone.waitForSelector('#editor:not([hidden])');
const phoneBox = await phone.locator('#canvas').boundingBox();
await phone.tap('#canvas', {position: {x: phoneBox.width * 0.3, y: phoneBox.height * 0.3}});
assert.ok(await painted(phone, 0.3, 0.3));
await phone.locator('#editor').scrollIntoViewIfNeeded();
await shot(phone, 'phone-brush');
assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth));

await browser.close();
assert.deepEqual(problems, []);
