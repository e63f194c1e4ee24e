// What this service answers, in the words of CDS Hooks 2.0.

export interface Coding {
  readonly system?: string;
  readonly code: string;
  readonly display?: string;
}

export interface Action {
  readonly type: "create" | "update" | "delete";
  readonly description: string;
  readonly resource?: unknown;
  readonly resourceId?: string | readonly string[];
}

export interface Suggestion {
  readonly label: string;
  readonly uuid?: string;
  readonly isRecommended?: boolean;
  readonly actions?: readonly Action[];
}

export interface Link {
  readonly label: string;
  readonly url: string;
  readonly type: "absolute" | "smart";
  readonly appContext?: string;
}

export interface Card {
  readonly uuid?: string;
  readonly summary: string;
  readonly detail?: string;
  readonly indicator: "info" | "warning" | "critical";
  readonly source: { readonly label: string; readonly url?: string };
  readonly suggestions?: readonly Suggestion[];
  readonly selectionBehavior?: "at-most-one" | "any";
  readonly overrideReasons?: readonly Coding[];
  readonly links?: readonly Link[];
}

/** The address where it is one of the web, to be followed; undefined for any other, such as one of a script. */
export function webAddress(written: string | undefined): URL | undefined {
  if (written === undefined || !URL.canParse(written)) return undefined;
  const address = new URL(written);
  return address.protocol === "https:" || address.protocol === "http:" ? address : undefined;
}
