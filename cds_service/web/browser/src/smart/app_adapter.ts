// fhirclient's adapter with two differences: it is given only those parts of the page's address that we mean it to
// see, and what it keeps is ours to place. Its own would take a client id or a patient from the address, and would
// leave the token in the browser's storage.
import * as browserAdapter from "fhirclient/lib/adapters/BrowserAdapter";

export interface Kept {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<unknown>;
  unset(key: string): Promise<boolean>;
}

type Adapter = typeof import("fhirclient/lib/adapters/BrowserAdapter").default;
const BrowserAdapter = reached(browserAdapter);

// The package is CommonJS: bundlers differ in how often its default export is wrapped.
function reached(module: unknown): Adapter {
  return typeof module === "function" ? (module as Adapter) : reached((module as { default: unknown }).default);
}

export class AppAdapter extends BrowserAdapter {
  readonly #url: URL;
  readonly #kept: Kept;

  constructor(parameters: Record<string, string | null | undefined>, kept: Kept) {
    super({ replaceBrowserHistory: false });
    this.#url = new URL(location.pathname, location.origin);
    for (const [name, value] of Object.entries(parameters)) if (value) this.#url.searchParams.set(name, value);
    this.#kept = kept;
  }

  override getUrl(): URL {
    return this.#url;
  }

  override getStorage(): Kept {
    return this.#kept;
  }
}
