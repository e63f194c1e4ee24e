// What POST /app/course answers (docs/timeline.md). Every `words` is plain text, ready to be shown.

export type SlotStatus = "future" | "due" | "booked" | "partial" | "done" | "overdue" | "missed" | "unknown" | "optional";

export interface Phase {
  readonly phase: string;
  readonly from: string;
  readonly to: string;
  readonly words: string;
  readonly isPlanned: boolean;
}

export interface SteroidDay {
  readonly day: string;
  readonly mg?: string;
  readonly mgPerKg?: string;
  readonly source: "given" | "ordered" | "not-given" | "none" | "unknown";
  readonly phase: string;
  readonly isSure: boolean;
  readonly isPlanned: boolean;
  readonly words: string;
}

export interface PlannedDay {
  readonly id: string;
  readonly what: string;
  readonly day: string;
  readonly words: string;
}

export interface SlotPart {
  readonly part: string;
  readonly status: SlotStatus;
  readonly statusWords: string;
  readonly missing: readonly string[];
  readonly on: readonly string[];
}

export interface Slot {
  readonly id: string;
  readonly target: string;
  readonly dayNumber: number;
  readonly from: string;
  readonly to: string;
  readonly parts: readonly SlotPart[];
  readonly words: string;
}

export interface Point {
  readonly day?: string;
  readonly at?: string;
  readonly dayNumber?: number;
  readonly value?: string;
  readonly unit?: string;
  readonly written?: string;
  readonly range?: string;
  readonly comparator?: string;
  readonly timesUln?: string;
  readonly state: "final" | "provisional" | "unreadable";
  readonly status?: string;
  readonly isKnown: boolean;
  readonly counts: boolean;
  readonly unknownWords?: string;
  readonly words: string;
  readonly reference: string;
}

export interface Series {
  readonly id: string;
  readonly analyte: string;
  readonly name: string;
  readonly scale: "timesUln" | "value";
  readonly unit: string;
  readonly points: readonly Point[];
}

export interface Line {
  readonly series: readonly string[];
  readonly scale: "timesUln" | "value";
  readonly timesUln?: string;
  readonly value?: string;
  readonly unit?: string;
  readonly isAbove: boolean;
  readonly words: string;
}

export interface Card {
  readonly uuid?: string;
  readonly summary: string;
  readonly indicator: string;
  readonly detail?: string;
  readonly source?: { readonly label?: string; readonly url?: string; readonly topic?: { readonly code?: string } };
  readonly extension?: { readonly [name: string]: unknown };
}

export interface Summary {
  readonly title: string;
  readonly infusion: string;
  readonly nextTests: readonly { readonly words: string }[];
  readonly windows: string;
  readonly steroidPlan: readonly string[];
  readonly whenToCall: readonly string[];
  readonly sections: readonly string[];
  readonly notReviewed: string;
}

export interface Course {
  readonly concerns: true;
  readonly today: string;
  readonly notReviewed: string;
  readonly infusion: { readonly state: string; readonly day?: string; readonly words: string };
  readonly dayNumber?: number;
  readonly span: { readonly from: string; readonly to: string };
  readonly steroid: {
    readonly state: { readonly code: string; readonly words: string };
    readonly days: readonly SteroidDay[];
    readonly phases: readonly Phase[];
    readonly plan: readonly PlannedDay[];
  };
  readonly slots: readonly Slot[];
  readonly gaps: readonly { readonly words: string }[];
  readonly slotNotes: readonly string[];
  readonly series: readonly Series[];
  readonly lines: readonly Line[];
  readonly cards: readonly Card[];
  readonly summary: Summary;
  readonly words: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

export interface NoCourse {
  readonly concerns: false;
  readonly words: string;
  readonly notReviewed: string;
}
