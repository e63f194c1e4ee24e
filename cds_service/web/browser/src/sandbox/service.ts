import type { Card, Coding } from "../cards/card";
import { items, member, readJson, textOf } from "./json_text";

/** A scenario of the fixtures, `service/scenario`, and the FHIR server that has its record. */
export interface Scenario {
  readonly name: string;
  readonly fhirServer: string;
}

export interface Moment extends Scenario {
  readonly moment: string;
  readonly look: string;
}

export interface Child {
  readonly name: string;
  readonly story: string;
  readonly moments: readonly Moment[];
}

export interface Index {
  readonly opensOn: string;
  readonly groups: readonly { readonly name: string; readonly children: readonly Child[] }[];
  readonly scenarios: readonly (Scenario & { readonly proves: string })[];
}

/** What came back of a call: the text as it came, and how long the browser waited. */
export interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly text: string;
  readonly milliseconds: number;
}

/** Which part of a chart is sent along with a request: all that the EHR would send, or nothing. */
export type Prefetch = "sent" | "none";

/** This service, in demo mode, published under a path. */
export class DemoService {
  constructor(readonly root: string) {}

  /** All children and scenarios. */
  async index(): Promise<Index> {
    return JSON.parse(await this.#get("/demo/children")) as Index;
  }

  /** The request of a scenario, its days moved to today. */
  async request(name: string, prefetch: Prefetch, signal: AbortSignal): Promise<string> {
    return this.#get(`/demo/hook_requests/${name}${prefetch === "none" ? "?prefetch=none" : ""}`, signal);
  }

  /** Where the service of a scenario is called. */
  address(name: string): string {
    return `${location.origin}${this.root}/cds-services/${serviceOf(name)}`;
  }

  /** Call it. Any status is an answer; throws only where none came. */
  async call(name: string, body: string, signal?: AbortSignal): Promise<Answer> {
    return this.#post(this.address(name), body, signal);
  }

  /** Say what became of a card. */
  async feedback(name: string, body: string): Promise<Answer> {
    return this.#post(`${this.address(name)}/feedback`, body);
  }

  async #get(path: string, signal?: AbortSignal): Promise<string> {
    const reply = await fetch(`${this.root}${path}`, signal ? { signal } : {});
    const text = await reply.text();
    if (!reply.ok) throw new Error(faultOf(text) || `${path} is answered with ${reply.status}`);
    return text;
  }

  async #post(address: string, body: string, signal?: AbortSignal): Promise<Answer> {
    const begun = performance.now();
    const reply = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
      ...(signal ? { signal } : {}),
    });
    const text = await reply.text();
    return { status: reply.status, statusText: reply.statusText, text, milliseconds: performance.now() - begun };
  }
}

/** The service that answers a scenario. */
export function serviceOf(name: string): string {
  return name.slice(0, name.indexOf("/"));
}

/** The cards of an answer. */
export function cardsIn(answer: Answer): readonly Card[] {
  return (JSON.parse(answer.text) as { cards: Card[] }).cards;
}

/** What an OperationOutcome says, each issue with the place that it names; empty for anything else. */
export function faultOf(text: string): string {
  try {
    return items(member(readJson(text), "issue"))
      .map((issue) => {
        const places = items(member(issue, "expression")).map(textOf).join(", ");
        const said = textOf(member(member(issue, "details"), "text")) || textOf(member(issue, "diagnostics"));
        return places ? `${said} (at ${places})` : said;
      })
      .join(" ");
  } catch {
    return "";
  }
}

/** The feedback that a suggestion was taken. */
export function accepted(card: string, suggestion: string): string {
  return feedback({ card, outcome: "accepted", acceptedSuggestions: [{ id: suggestion }] });
}

/** The feedback that a card was set aside, with a reason and a comment where they were given. */
export function overridden(card: string, reason: Coding | undefined, comment: string): string {
  const given = {
    ...(reason ? { reason: { code: reason.code, ...(reason.system ? { system: reason.system } : {}) } } : {}),
    ...(comment ? { userComment: comment } : {}),
  };
  return feedback({ card, outcome: "overridden", ...(Object.keys(given).length ? { overrideReason: given } : {}) });
}

function feedback(item: object): string {
  return JSON.stringify({ feedback: [{ ...item, outcomeTimestamp: new Date().toISOString() }] }, undefined, 1);
}
