/** The files of a chart by name, each read when somebody asks for it, and once. */
export abstract class LazyChartFiles extends Map<string, Uint8Array> {
  readonly #read = new Set<string>();

  constructor(names: Iterable<string>) {
    super();
    for (const name of names) super.set(name, NOTHING);
  }

  /** Called once for each name; what it throws is thrown where the file is asked for. */
  protected abstract read(name: string): Uint8Array;

  /** Throws where a file is larger than helm would read, whether or not it is read. */
  abstract check(name: string): void;

  protected isRead(name: string): boolean {
    return this.#read.has(name);
  }

  override get(name: string): Uint8Array | undefined {
    const known = super.get(name);
    if (known === undefined || this.#read.has(name)) return known;
    const data = this.read(name);
    this.#read.add(name);
    super.set(name, data);
    return data;
  }

  override *entries(): MapIterator<[string, Uint8Array]> {
    for (const name of this.keys()) yield [name, this.get(name)!];
  }

  override *values(): MapIterator<Uint8Array> {
    for (const name of this.keys()) yield this.get(name)!;
  }

  override [Symbol.iterator](): MapIterator<[string, Uint8Array]> {
    return this.entries();
  }

  override forEach(each: (value: Uint8Array, key: string, map: Map<string, Uint8Array>) => void): void {
    for (const [name, data] of this) each(data, name, this);
  }
}

const NOTHING = new Uint8Array();
