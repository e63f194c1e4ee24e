import type { Suggestion } from "../cards/card";
import { type Json, items, member, readJson, textOf } from "./json_text";

/**
 * Carry a suggestion out on the draft orders of a request, as an EHR does on its unsigned orders.
 *
 * Tells whether there was anything to change: only ordering hooks bring draft orders. `written` is the suggestion as the
 * service wrote it, with every digit.
 */
export function carryOut(request: Json, written: Json): boolean {
  const drafts = member(member(request, "context"), "draftOrders");
  const entries = member(drafts, "entry");
  if (!Array.isArray(entries)) return false;
  for (const action of items(member(written, "actions"))) change(entries, action);
  return true;
}

/** The suggestion of this uuid in the service's answer, with every digit as it was written. */
export function writtenSuggestion(answer: string, { uuid }: Suggestion): Json | undefined {
  return items(member(readJson(answer), "cards"))
    .flatMap((card) => items(member(card, "suggestions")))
    .find((suggestion) => member(suggestion, "uuid") === uuid);
}

function change(entries: Json[], action: Json): void {
  const resource = member(action, "resource");
  const named = textOf(member(action, "resourceId")) || nameOf(resource);
  const place = entries.findIndex((entry) => nameOf(member(entry, "resource")) === named);
  switch (member(action, "type")) {
    case "create":
      if (resource !== undefined) entries.push({ resource });
      break;
    case "update":
      if (resource !== undefined && place >= 0) entries[place] = { resource };
      break;
    case "delete":
      if (place >= 0) entries.splice(place, 1);
      break;
  }
}

function nameOf(resource: Json | undefined): string {
  return `${textOf(member(resource, "resourceType"))}/${textOf(member(resource, "id"))}`;
}
