// JSON whose numbers keep the digits they are written with, where the browser can do so; elsewhere 4.0 becomes 4, which
// is the same number. A result is never calculated with here, only handed on.

interface Source {
  readonly source?: string;
}

const raw = (JSON as unknown as { rawJSON?: (written: string) => unknown }).rawJSON;

export function readExactly(written: string): unknown {
  if (raw === undefined) return JSON.parse(written);
  const asWritten = (_key: string, value: unknown, context?: Source): unknown =>
    typeof value === "number" && context?.source !== undefined ? raw(context.source) : value;
  return JSON.parse(written, asWritten as (key: string, value: unknown) => unknown);
}

// A count that was read exactly, as a number; undefined for anything else.
export function wholeNumber(read: unknown): number | undefined {
  const written = typeof read === "object" && read !== null ? (read as { rawJSON?: unknown }).rawJSON : read;
  const number = typeof written === "string" || typeof written === "number" ? Number(written) : Number.NaN;
  return Number.isInteger(number) ? number : undefined;
}
