// The picture to begin with, and what is painted over it: by finger, pen, mouse or keyboard.

/** No picture is larger than this on either side when it is sent: more than any is drawn at. */
const LARGEST = 1536;
const TINT = 'rgb(255 0 170)', TINT_ALPHA = 0.6, TALLEST = 22; // rem

export class Brush {
  #canvas;
  #image = null; // as it is sent
  #mask; // what is painted, opaque, on nothing
  #undo = [];
  #cursor = null; // of the keyboard
  #last = null; // of the stroke
  size = 12; // of a hundredth of the longer side
  erasing = false;
  onchange = () => {};

  constructor(canvas) {
    this.#canvas = canvas;
    this.#mask = document.createElement('canvas');
    this.#mask.getContext('2d', {willReadFrequently: true});
    canvas.addEventListener('pointerdown', e => this.#down(e));
    canvas.addEventListener('pointermove', e => this.#move(e));
    for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, () => { this.#last = null; });
    canvas.addEventListener('keydown', e => this.#key(e));
    canvas.addEventListener('blur', () => { this.#cursor = null; this.#show(); });
  }

  get width() { return this.#canvas.width; }
  get height() { return this.#canvas.height; }
  get isEmpty() { return this.#image === null; }

  /** Whether anything is painted. */
  get isPainted() {
    if (this.isEmpty) return false;
    const {data} = this.#mask.getContext('2d').getImageData(0, 0, this.width, this.height);
    for (let i = 3; i < data.length; i += 4) if (data[i] >= 128) return true;
    return false;
  }

  /**
   * Takes a picture; rejects when it is none.
   *
   * @param mask what is painted already, as {@link files} has it
   */
  async load(blob, mask) {
    const bitmap = await createImageBitmap(blob);
    const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
    const width = Math.max(8, Math.round(bitmap.width * scale)), height = Math.max(8, Math.round(bitmap.height * scale));
    for (const canvas of [this.#canvas, this.#mask]) Object.assign(canvas, {width, height});
    this.#image = document.createElement('canvas');
    Object.assign(this.#image, {width, height});
    const context = this.#image.getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(bitmap, 0, 0, width, height);
    this.#canvas.style.width = `min(100%, ${TALLEST * width / height}rem)`;
    this.#undo = [];
    if (mask) await this.#restore(mask);
    this.#show();
  }

  async #restore(mask) {
    const context = this.#mask.getContext('2d');
    context.fillRect(0, 0, this.width, this.height);
    context.globalCompositeOperation = 'destination-out';
    context.drawImage(await createImageBitmap(mask), 0, 0, this.width, this.height);
    context.globalCompositeOperation = 'source-over';
  }

  remove() {
    this.#image = null;
    this.#undo = [];
  }

  clear() {
    this.#remember();
    this.#mask.getContext('2d').clearRect(0, 0, this.width, this.height);
    this.#show();
  }

  undo() {
    const before = this.#undo.pop();
    if (before) this.#mask.getContext('2d').putImageData(before, 0, 0);
    this.#show();
  }

  /** {image, mask} as PNG; the mask is transparent where it is painted, and missing where nothing is. */
  async files() {
    const files = {image: await png(this.#image)};
    if (!this.isPainted) return files;
    const mask = document.createElement('canvas');
    Object.assign(mask, {width: this.width, height: this.height});
    const context = mask.getContext('2d');
    context.fillRect(0, 0, this.width, this.height);
    context.globalCompositeOperation = 'destination-out';
    context.drawImage(this.#mask, 0, 0);
    return {...files, mask: await png(mask)};
  }

  get #radius() { return Math.max(1, this.size / 200 * Math.max(this.width, this.height)); }

  #at(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * this.width, (event.clientY - box.top) / box.height * this.height];
  }

  #down(event) {
    if (this.isEmpty || event.button !== 0) return;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#cursor = null;
    this.#remember();
    this.#last = this.#at(event);
    this.#stroke(this.#last);
    event.preventDefault();
  }

  #move(event) {
    if (this.#last) for (const each of event.getCoalescedEvents?.() ?? [event]) this.#stroke(this.#at(each));
  }

  #stroke(to) {
    const context = this.#mask.getContext('2d');
    context.globalCompositeOperation = this.erasing ? 'destination-out' : 'source-over';
    context.lineWidth = 2 * this.#radius;
    context.beginPath();
    context.moveTo(...this.#last);
    context.lineTo(...to);
    context.stroke();
    // A line's round end, and all that there is of one without length, which would not be drawn.
    for (const point of [this.#last, to]) {
      context.beginPath();
      context.arc(...point, this.#radius, 0, 2 * Math.PI);
      context.fill();
    }
    this.#last = to;
    this.#show();
  }

  #key(event) {
    const step = event.shiftKey ? 0.01 : 0.04, by = Math.max(this.width, this.height) * step;
    const ways = {ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by]};
    if (this.isEmpty || !(event.key in ways || event.key === ' ')) return;
    event.preventDefault();
    this.#cursor ??= [this.width / 2, this.height / 2];
    if (event.key === ' ') {
      this.#remember();
      this.#last = this.#cursor;
      this.#stroke(this.#cursor);
      this.#last = null;
    } else {
      const [x, y] = this.#cursor, [dx, dy] = ways[event.key];
      this.#cursor = [Math.min(this.width, Math.max(0, x + dx)), Math.min(this.height, Math.max(0, y + dy))];
    }
    this.#show();
  }

  #remember() {
    this.#undo.push(this.#mask.getContext('2d').getImageData(0, 0, this.width, this.height));
    if (this.#undo.length > 20) this.#undo.shift();
  }

  #show() {
    if (this.isEmpty) return;
    const context = this.#canvas.getContext('2d');
    context.clearRect(0, 0, this.width, this.height);
    context.drawImage(this.#image, 0, 0);
    const tint = document.createElement('canvas');
    Object.assign(tint, {width: this.width, height: this.height});
    const paint = tint.getContext('2d');
    paint.drawImage(this.#mask, 0, 0);
    paint.globalCompositeOperation = 'source-in';
    paint.fillStyle = TINT;
    paint.fillRect(0, 0, this.width, this.height);
    context.globalAlpha = TINT_ALPHA;
    context.drawImage(tint, 0, 0);
    context.globalAlpha = 1;
    if (this.#cursor) {
      const wide = Math.max(this.width, this.height) / 150;
      for (const [colour, width] of [['#000', 2 * wide], ['#fff', wide]]) {
        context.strokeStyle = colour;
        context.lineWidth = width;
        context.beginPath();
        context.arc(...this.#cursor, this.#radius, 0, 2 * Math.PI);
        context.stroke();
      }
    }
    this.onchange();
  }
}

const png = canvas => new Promise(done => canvas.toBlob(done, 'image/png'));
