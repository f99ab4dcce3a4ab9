// Pictures that were drawn, newest first. They stay in this browser, in IndexedDB, until they are forgotten.

const NAME = 'gyre', STORE = 'pictures', MOST = 300;

function opened() {
  return new Promise((done, failed) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, {keyPath: 'id', autoIncrement: true});
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

function result(request) {
  return new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

export class Gallery {
  #list;
  #database = null; // where the browser lets pages keep things
  #pictures = new Map(); // by id: {picture, item, url}
  #next = -1;
  onopen = () => {};
  onchange = () => {};

  constructor(list) {
    this.#list = list;
    list.addEventListener('click', event => {
      const id = event.target.closest('button')?.dataset.id;
      if (id) this.onopen(this.#pictures.get(Number(id)).picture);
    });
  }

  get size() { return this.#pictures.size; }

  /** Brings back what was kept. */
  async load() {
    try {
      this.#database = await opened();
      for (const picture of await result(this.#store('readonly').getAll())) this.#show(picture);
    } catch {
      this.#database = null; // private windows may forbid it: then pictures last as long as the page
    }
    this.onchange();
  }

  /** @param picture {blob, start, parameters, notes}; start as the brush's files, or null */
  async add(picture) {
    const {id, ...rest} = picture;
    picture.id = this.#database ? await result(this.#store('readwrite').add(rest)).catch(() => this.#next--) : this.#next--;
    this.#show(picture);
    for (const old of this.#pictures.keys()) {
      if (this.#pictures.size <= MOST) break;
      await this.remove(old);
    }
    this.onchange();
  }

  async remove(id) {
    const {item, url} = this.#pictures.get(id);
    item.remove();
    URL.revokeObjectURL(url);
    this.#pictures.delete(id);
    if (this.#database) await result(this.#store('readwrite').delete(id));
    this.onchange();
  }

  async clear() {
    for (const id of [...this.#pictures.keys()]) await this.remove(id);
  }

  url(id) { return this.#pictures.get(id).url; }

  #store(mode) { return this.#database.transaction(STORE, mode).objectStore(STORE); }

  #show(picture) {
    const item = document.createElement('li'), button = document.createElement('button');
    const image = document.createElement('img'), text = document.createElement('span');
    const url = URL.createObjectURL(picture.blob);
    button.type = 'button';
    button.dataset.id = picture.id;
    image.src = url;
    image.alt = '';
    text.textContent = picture.parameters.prompt || 'a variation';
    button.append(image, text);
    item.append(button);
    this.#list.prepend(item);
    this.#pictures.set(picture.id, {picture, item, url});
  }
}
