// JSON as text: read with the place of the first fault, and written again with every digit as it was.

/** A number as it is written, for 3.20 is not 3.2 in a record. */
export class WrittenNumber {
  constructor(readonly written: string) {}
}

export type Json = null | boolean | string | WrittenNumber | Json[] | { [name: string]: Json };

/** Where text is no JSON: line and column, counted from 1, and its position in the text. */
export class JsonFault extends Error {
  readonly line: number;
  readonly column: number;

  constructor(text: string, readonly position: number, what: string) {
    const before = text.slice(0, position);
    const line = before.split("\n").length;
    const column = position - before.lastIndexOf("\n");
    super(`This is no JSON: line ${line}, column ${column}: ${what}.`);
    this.line = line;
    this.column = column;
  }
}

const BLANK = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORDS: readonly (readonly [string, Json])[] = [["true", true], ["false", false], ["null", null]];
const DEEPEST = 200;

/** The document that the text is. Throws JsonFault at the first place where it is none. */
export function readJson(text: string): Json {
  const reader = new Reader(text);
  const document = reader.value(0);
  reader.end();
  return document;
}

/** The document indented by one space, each short object or list on one line. */
export function writtenJson(document: Json, indent = ""): string {
  const onOneLine = compactJson(document);
  if (onOneLine.length <= 100 || typeof document !== "object" || document === null || document instanceof WrittenNumber) {
    return onOneLine;
  }
  const deeper = `${indent} `;
  const parts = Array.isArray(document)
    ? document.map((item) => deeper + writtenJson(item, deeper))
    : Object.entries(document).map(([name, item]) => `${deeper}${JSON.stringify(name)}: ${writtenJson(item, deeper)}`);
  const [open, close] = Array.isArray(document) ? "[]" : "{}";
  return `${open}\n${parts.join(",\n")}\n${indent}${close}`;
}

function compactJson(document: Json): string {
  if (document instanceof WrittenNumber) return document.written;
  if (Array.isArray(document)) return `[${document.map(compactJson).join(", ")}]`;
  if (typeof document !== "object" || document === null) return JSON.stringify(document);
  const parts = Object.entries(document).map(([name, item]) => `${JSON.stringify(name)}: ${compactJson(item)}`);
  return `{${parts.join(", ")}}`;
}

/** The member of an object; undefined where it is none, or has none of this name. */
export function member(document: Json | undefined, name: string): Json | undefined {
  const isObject = typeof document === "object" && document !== null && !Array.isArray(document);
  if (!isObject || document instanceof WrittenNumber) return undefined;
  return Object.hasOwn(document, name) ? document[name] : undefined;
}

/** The items of a list; none where it is no list. */
export function items(document: Json | undefined): readonly Json[] {
  return Array.isArray(document) ? document : [];
}

/** The text; empty where it is none. */
export function textOf(document: Json | undefined): string {
  return typeof document === "string" ? document : "";
}

class Reader {
  #at = 0;

  constructor(readonly text: string) {}

  value(depth: number): Json {
    this.#skip();
    if (depth > DEEPEST) throw this.#fault("this is nested too deeply");
    const next = this.text[this.#at];
    if (next === "{") return this.#object(depth + 1);
    if (next === "[") return this.#list(depth + 1);
    if (next === '"') return this.#string();
    for (const [word, value] of WORDS) {
      if (this.text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    const number = this.#match(NUMBER);
    if (number === undefined) throw this.#fault(next === undefined ? "the text ends too early" : "a value is expected here");
    return new WrittenNumber(number);
  }

  end(): void {
    this.#skip();
    if (this.#at < this.text.length) throw this.#fault("the document has ended before this");
  }

  #object(depth: number): Json {
    const made: { [name: string]: Json } = Object.create(null) as { [name: string]: Json };
    this.#each("}", () => {
      if (this.text[this.#at] !== '"') throw this.#fault("a name in double quotes is expected here");
      const name = this.#string();
      this.#skip();
      if (this.text[this.#at] !== ":") throw this.#fault("a colon is missing here");
      this.#at += 1;
      made[name] = this.value(depth);
    });
    return made;
  }

  #list(depth: number): Json {
    const made: Json[] = [];
    this.#each("]", () => made.push(this.value(depth)));
    return made;
  }

  #each(close: string, read: () => void): void {
    this.#at += 1;
    this.#skip();
    if (this.text[this.#at] === close) {
      this.#at += 1;
      return;
    }
    for (;;) {
      read();
      this.#skip();
      const next = this.text[this.#at];
      if (next !== close && next !== ",") {
        throw this.#fault(next === undefined ? "the text ends too early" : `a comma or ${close} is missing here`);
      }
      this.#at += 1;
      if (next === close) return;
      this.#skip();
    }
  }

  #string(): string {
    const written = this.#match(STRING);
    if (written === undefined) throw this.#fault("this text in quotes does not end, or holds what JSON does not allow");
    return JSON.parse(written) as string;
  }

  #skip(): void {
    this.#match(BLANK);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #fault(what: string): JsonFault {
    return new JsonFault(this.text, this.#at, what);
  }
}
