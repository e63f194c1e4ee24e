// The chart, read from the EHR's FHIR server with the user's own token: the searches that the service itself publishes.
// What cannot be read is handed on as a failure, so that nobody takes it for "none found".
import { readExactly, wholeNumber } from "./exact_json";

export interface ChartAccess {
  readonly base: string;
  readonly authorization: string;
  readonly patientId: string;
}

export interface Unread {
  readonly key: string;
  readonly why: string;
}

export interface ReadChart {
  readonly prefetch: Record<string, Resource>;
  readonly unread: readonly Unread[];
  readonly accessRefused: boolean;
}

export interface Resource {
  readonly resourceType?: string;
  readonly [name: string]: unknown;
}

interface Bundle extends Resource {
  readonly entry?: readonly Entry[];
  readonly link?: readonly Link[];
}

interface Link {
  readonly relation?: unknown;
  readonly url?: unknown;
}

interface Entry {
  readonly resource?: Resource;
  readonly search?: { readonly mode?: unknown };
}

const OPEN_PATIENT = "{{context.patientId}}";
const MOST_PAGES = 50;
const LONGEST_QUERY = 1800;
const MOST_MEDICATIONS = 40;
const LONGEST_WAIT_MS = 30_000;
const MEDICINES = ["MedicationRequest", "MedicationAdministration"];

class NotRead extends Error {
  constructor(
    readonly code: string,
    why: string,
  ) {
    super(why);
  }
}

export async function readChart(access: ChartAccess, queries: Record<string, string>): Promise<ReadChart> {
  const unread: Unread[] = [];
  let refused = 0;
  const lists = await Promise.all(
    Object.entries(queries).map(async ([key, query]): Promise<[string, Resource]> => {
      try {
        const list = await listOf(access, query.replaceAll(OPEN_PATIENT, encodeURIComponent(access.patientId)));
        if (isPart(list)) unread.push({ key, why: "only a part of it came" });
        return [key, list];
      } catch (error) {
        const failure = error instanceof NotRead ? error : new NotRead("exception", "no usable answer");
        if (failure.code === "login") refused += 1;
        unread.push({ key, why: failure.message });
        return [key, outcome(failure)];
      }
    }),
  );
  const prefetch = Object.fromEntries(lists);
  return {
    prefetch: await withMedications(access, prefetch),
    unread,
    accessRefused: refused === lists.length,
  };
}

function outcome(failure: NotRead): Resource {
  const issue = { severity: "error", code: failure.code, details: { text: failure.message } };
  return { resourceType: "OperationOutcome", issue: [issue] };
}

async function listOf(access: ChartAccess, query: string): Promise<Resource> {
  const parts = shortEnough(query);
  const read = await Promise.all(parts.map((part) => everyPage(access, part)));
  const [first] = read;
  return first === undefined || read.length === 1 ? (first ?? {}) : together(read as Bundle[]);
}

// A search for very many codes as several: many servers refuse an address that is longer than this.
function shortEnough(query: string): string[] {
  const match = /^([^?]+\?(?:.*&)?code=)([^&]*)(.*)$/.exec(query);
  if (match === null || query.length <= LONGEST_QUERY) return [query];
  const [, before = "", codes = "", after = ""] = match;
  const room = LONGEST_QUERY - before.length - after.length;
  const parts = [""];
  for (const code of codes.split(",")) {
    const last = parts.at(-1) ?? "";
    if (last !== "" && last.length + code.length >= room) parts.push(code);
    else parts[parts.length - 1] = last === "" ? code : `${last},${code}`;
  }
  return parts.map((part) => `${before}${part}${after}`);
}

// The Bundles of several searches as one, each resource once; what one of them holds back stays told.
function together(bundles: readonly Bundle[]): Resource {
  const seen = new Set<string>();
  const entries: Entry[] = [];
  let heldBack = 0;
  for (const bundle of bundles) {
    if (bundle.resourceType !== "Bundle") throw new NotRead("exception", "an answer is no Bundle");
    const found = bundle.entry ?? [];
    heldBack += Math.max(0, (wholeNumber(bundle["total"]) ?? found.length) - found.length);
    for (const entry of found) {
      const name = `${entry.resource?.resourceType}/${String(entry.resource?.["id"])}`;
      if (entry.resource?.["id"] !== undefined && seen.has(name)) continue;
      seen.add(name);
      entries.push(entry);
    }
  }
  const link = bundles.flatMap((bundle) => bundle.link ?? []);
  const rest = { ...(link.length > 0 ? { link } : {}), ...(entries.length > 0 ? { entry: entries } : {}) };
  return { resourceType: "Bundle", type: "searchset", total: entries.length + heldBack, ...rest };
}

// A search to its last page as one Bundle. Where it goes on beyond what is followed, the link stays in the Bundle, and
// the service sees that the list is not complete.
async function everyPage(access: ChartAccess, query: string): Promise<Resource> {
  const first = await asked(access, `${access.base}/${query}`);
  if (first.resourceType !== "Bundle") return first;
  const entries = [...((first as Bundle).entry ?? [])];
  let next = nextOf(first as Bundle);
  for (let pages = 1; next !== undefined && isWithin(access.base, next) && pages < MOST_PAGES; pages += 1) {
    const page = (await asked(access, next)) as Bundle;
    if (page.resourceType !== "Bundle") throw new NotRead("exception", "a further page is no Bundle");
    entries.push(...(page.entry ?? []));
    next = nextOf(page);
  }
  // What the server says it was asked for stays as well: by that an empty list is known for what it is.
  const { link: links = [], entry: _entry, ...head } = first as Bundle;
  const kept = links.filter((link) => link.relation !== "next");
  const link = next === undefined ? kept : [...kept, { relation: "next", url: next }];
  return { ...head, ...(link.length > 0 ? { link } : {}), ...(entries.length > 0 ? { entry: entries } : {}) };
}

function nextOf(bundle: Bundle): string | undefined {
  const url = bundle.link?.find((link) => link.relation === "next")?.url;
  return typeof url === "string" ? url : undefined;
}

function isPart(list: Bundle): boolean {
  const total = wholeNumber(list["total"]);
  const matches = (list.entry ?? []).filter((entry) => entry.search?.mode !== "include");
  return nextOf(list) !== undefined || (total !== undefined && total > matches.length);
}

// The token goes nowhere but to the server that it is for.
function isWithin(base: string, address: string): boolean {
  const wanted = new URL(base);
  let url: URL;
  try {
    url = new URL(address, `${base}/`);
  } catch {
    return false;
  }
  return url.origin === wanted.origin && `${url.pathname}/`.startsWith(`${wanted.pathname.replace(/\/+$/, "")}/`);
}

async function asked(access: ChartAccess, address: string): Promise<Resource> {
  let response: Response;
  let written: string;
  try {
    response = await fetch(new URL(address, `${access.base}/`), {
      headers: { Accept: "application/fhir+json", Authorization: access.authorization },
      credentials: "omit",
      redirect: "error",
      cache: "no-store",
      signal: AbortSignal.timeout(LONGEST_WAIT_MS),
    });
    written = await response.text();
  } catch {
    throw new NotRead("transient", "no answer");
  }
  if (!response.ok) throw new NotRead(codeOf(response.status), `HTTP ${response.status}`);
  try {
    const document = readExactly(written);
    if (typeof document === "object" && document !== null && !Array.isArray(document)) return document as Resource;
  } catch {
    // told below
  }
  throw new NotRead("exception", "the answer is no FHIR resource");
}

function codeOf(status: number): string {
  if (status === 401) return "login";
  return status === 403 ? "forbidden" : "exception";
}

// Orders and doses often name their medicine only by reference; the Medications are put beside them as a server would
// that includes them. One that cannot be read stays away, and the service says that the order has no name it knows.
async function withMedications(
  access: ChartAccess,
  prefetch: Record<string, Resource>,
): Promise<Record<string, Resource>> {
  const entries = Object.values(prefetch).flatMap((list) => (list as Bundle).entry ?? []);
  const resources = entries.flatMap((entry) => (entry.resource === undefined ? [] : [entry.resource]));
  const delivered = new Set(resources.map((resource) => `${resource.resourceType}/${String(resource["id"])}`));
  const wanted = new Set(
    resources
      .filter((resource) => MEDICINES.includes(resource.resourceType ?? ""))
      .map((resource) => (resource["medicationReference"] as { reference?: unknown } | undefined)?.reference)
      .filter((reference): reference is string => typeof reference === "string" && isMedication(reference))
      .filter((reference) => !delivered.has(reference)),
  );
  const read = await Promise.allSettled(
    [...wanted].slice(0, MOST_MEDICATIONS).map((reference) => asked(access, `${access.base}/${reference}`)),
  );
  const found = read.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const key = Object.keys(prefetch).find((name) =>
    ((prefetch[name] as Bundle).entry ?? []).some((entry) => MEDICINES.includes(entry.resource?.resourceType ?? "")),
  );
  if (key === undefined || found.length === 0) return prefetch;
  const list = prefetch[key] as Bundle;
  const included = found.map((resource) => ({ resource, search: { mode: "include" } }));
  return { ...prefetch, [key]: { ...list, entry: [...(list.entry ?? []), ...included] } };
}

function isMedication(reference: string): boolean {
  return /^Medication\/[A-Za-z0-9.-]{1,64}$/.test(reference);
}
